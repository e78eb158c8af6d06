from six.moves import cPickle as pickle
from scipy.misc import imread
