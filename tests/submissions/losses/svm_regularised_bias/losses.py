def svm_loss(params, x, y, reg):
    loss, dscores = hinge_loss(x @ params["W"] + params["b"], y)
    penalty, (dW, db) = l2_penalty([params["W"], params["b"]], reg)
    return loss + penalty, {"W": x.T @ dscores + dW, "b": dscores.sum(axis=0) + db}
