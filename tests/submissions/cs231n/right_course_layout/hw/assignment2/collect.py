import cs231n.layers
