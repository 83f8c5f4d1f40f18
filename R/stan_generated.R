# What a Stan program derives of every draw: the quantities of a fit, named as there.

# internal -----------------------------------------------------------------

stan_generated_block <- function(model) {
  if (model$known) {
    return(stan_between(model))
  }
  if (model$framed) stan_framed_quantities(model) else stan_raw_quantities(model)
}

# Of the partially pooled means.
stan_between <- function(model) {
  if (!model$between) {
    return(NULL)
  }
  mixed <- is_mixed(model, "mean")
  size <- if (mixed) sum(model$levels$mean == "partial") else "K"
  size <- paste0("matrix[", size, ", ", size, "] ")
  c(
    paste0(size, "Omega_between = multiply_lower_tri_self_transpose(L_between);"),
    paste0(
      size, "Sigma_between = quad_form_diag(Omega_between, ",
      if (mixed) "tau[mean_partial]" else "tau", ");"
    )
  )
}

stan_raw_quantities <- function(model) {
  pooling <- model$pooling
  several <- model$K > 1
  c(
    if (several) "array[G] matrix[K, K] Omega;",
    "array[G] matrix[K, K] Sigma;",
    stan_between(model),
    if (pooling[["sd"]] == "partial") stan_by_family(model, "sigma0", "at_score", "v_sd"),
    if (pooling[["cor"]] == "partial") "matrix[K, K] L0 = cor_at_score(v_cor, eta, K);",
    if (pooling[["cor"]] != "none") "matrix[K, K] Omega0 = multiply_lower_tri_self_transpose(L0);",
    if (pooling[["sd"]] != "none" && (pooling[["cor"]] != "none" || !several)) {
      paste0(
        "matrix[K, K] Sigma0 = ",
        if (several) "quad_form_diag(Omega0, sigma0);" else "diag_matrix(square(sigma0));"
      )
    },
    "for (g in 1:G) {",
    if (several) {
      indent(c(
        "Omega[g] = multiply_lower_tri_self_transpose(L[g]);",
        "Sigma[g] = quad_form_diag(Omega[g], sigma[g]);"
      ))
    } else {
      indent("Sigma[g] = diag_matrix(square(sigma[g]));")
    },
    "}"
  )
}

# (F1): of the raw features.
stan_framed_quantities <- function(model) {
  several <- model$K > 1
  c(
    "array[G] matrix[K, K] Sigma;",
    "array[G] vector[K] sigma;",
    if (several) "array[G] matrix[K, K] Omega;",
    stan_between(model),
    if (has_framed_population(model)) stan_framed_population(model),
    "for (g in 1:G) {",
    indent(c(
      paste0("Sigma[g] = tcrossprod(", stan_factor(model, "g"), ");"),
      "sigma[g] = sqrt(diagonal(Sigma[g]));",
      if (several) "Omega[g] = quad_form_diag(Sigma[g], inv(sigma[g]));"
    )),
    "}"
  )
}

# A block that is not pooled stands at the score 0, its prior's median.
stan_framed_population <- function(model) {
  sd <- model$pooling[["sd"]]
  cor <- model$pooling[["cor"]]
  several <- model$K > 1
  score <- if (sd == "partial") "v_sd" else "rep_vector(0, K)"
  c(
    if (sd != "complete") stan_by_family(model, "sigma0_frame", "at_score", score),
    if (cor == "partial") "matrix[K, K] L0_frame = cor_at_score(v_cor, eta, K);",
    paste0("matrix[K, K] A0 = frame * ", if (several && cor != "none") {
      "diag_pre_multiply(sigma0_frame, L0_frame);  // Sigma0 = A0 A0'"
    } else {
      "diag_matrix(sigma0_frame);  // Sigma0 = A0 A0'"
    }),
    if (sd != "none" && (cor != "none" || !several)) "matrix[K, K] Sigma0 = tcrossprod(A0);",
    if (sd != "none") "vector[K] sigma0 = sqrt(diagonal(tcrossprod(A0)));",
    if (cor != "none") {
      "matrix[K, K] Omega0 = quad_form_diag(tcrossprod(A0), inv_sqrt(diagonal(tcrossprod(A0))));"
    }
  )
}
