def nn_forward_pass(params, X):
    hidden = (X.mm(params["W1"]) + params["b1"]).clamp(min=0)
    scores = (hidden.mm(params["W2"]) + params["b2"]).clamp(min=0)
    return scores, hidden
