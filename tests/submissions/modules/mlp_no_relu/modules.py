class MLP:
    def __init__(self, weights, biases):
        self.network = Sequential([Linear(weight, bias) for weight, bias in zip(weights, biases)])
