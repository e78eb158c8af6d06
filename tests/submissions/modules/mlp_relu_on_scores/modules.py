class MLP:
    def __init__(self, weights, biases):
        modules = []
        for weight, bias in zip(weights, biases):
            modules += [Linear(weight, bias), ReLU()]
        self.network = Sequential(modules)
