class MLP:
    def __init__(self, weights, biases):
        self.network = Sequential([Linear(weights[0], biases[0]), ReLU(), Linear(weights[-1], biases[-1])])
