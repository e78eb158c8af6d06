import matplotlib.pyplot as plt
import eecs598
