# The likelihood in a Stan program, from the statistics.

# internal -----------------------------------------------------------------

stan_likelihood <- function(model) {
  unit <- if (model$observed == "all") "g" else "p"
  g <- if (unit == "p") "group[p]" else "g"
  lines <- if (model$known) stan_known_estimate(model, unit, g) else stan_rows(model, unit, g)
  if (model$C > 0) lines <- c(stan_residuals(unit, g), lines)
  c(
    paste0(
      "for (", unit, " in 1:", toupper(unit), ") {",
      if (unit == "p") "  // (M1) and (M2): the observed features only"
    ),
    indent(lines), "}"
  )
}

stan_rows <- function(model, unit, g) {
  factor <- stan_factor(model, g)
  data <- paste0(c("ybar", "n", "S"), "[", unit, "]")
  if (model$C > 0) data[c(1, 3)] <- c("m", "R")
  if (model$observed != "some" || model$K == 1) {
    root <- if (model$framed) "cholesky_decompose(tcrossprod(A))" else factor
    return(c(
      if (model$framed) paste0("matrix[K, K] A = ", factor, ";  // Sigma = A A'"),
      paste0(
        "log_joint += rows_lpdf(", data[1], " | ", data[2], ", ", data[3], ", mu[", g, "], ", root,
        ");"
      )
    ))
  }
  c(
    "array[n_observed[p]] int o = observed[p, 1:n_observed[p]];",
    paste0("matrix[K, K] A = ", factor, ";  // Sigma = A A'"),
    paste0(
      "matrix[n_observed[p], n_observed[p]] A_o = ",
      if (!model$framed) "n_observed[p] == K ? A"
    ),
    paste0(if (model$framed) "    " else "    : ", "cholesky_decompose(tcrossprod(A[o]));"),
    paste0(
      "log_joint += rows_lpdf(", data[1], "[o] | n[p], ", data[3], "[o, o], mu[group[p]][o], A_o);"
    )
  )
}

# A root of a group's covariance matrix: triangular, but for that in a frame.
stan_factor <- function(model, g) {
  at <- function(x) paste0(stan_name(model, x), "[", g, "]")
  own <- if (model$K > 1) {
    paste0("diag_pre_multiply(", at("sigma"), ", ", at("L"), ")")
  } else {
    paste0("diag_matrix(", at("sigma"), ")")
  }
  if (model$framed) paste0("frame * ", own) else own
}

# (K1)
stan_known_estimate <- function(model, unit, g) {
  if (model$observed != "some") {
    return(paste0(
      "log_joint += multi_normal_lpdf(ybar[", unit, "] | mu[", g, "], V[", unit, "]);"
    ))
  }
  c(
    "array[n_observed[p]] int o = observed[p, 1:n_observed[p]];",
    "log_joint += multi_normal_lpdf(ybar[p][o] | mu[group[p]][o], V[p][o, o]);"
  )
}

# (M1'): mean and scatter matrix of what the covariates leave of the rows.
stan_residuals <- function(unit, g) {
  at <- function(name) paste0(name, "[", unit, "]")
  cross <- paste0("beta[", g, "]' * ", at("S_xy"))
  c(
    paste0("vector[K] m = ", at("ybar"), " - beta[", g, "]' * ", at("xbar"), ";"),
    paste0("matrix[K, K] B = ", cross, ";"),
    paste0("matrix[K, K] R = ", at("S"), " - B - B' + quad_form(", at("S_xx"), ", beta[", g, "]);")
  )
}
