from layers import *
from losses import softmax_loss
from network import *
from training import sgd_step, train
