# The Stan program of a model, block by block. Equation numbers are those of vignette("model").

# internal -----------------------------------------------------------------

# `model`: see stan_parts_of().
write_stan_program <- function(model) {
  blocks <- list(
    functions = stan_functions(model),
    data = indent(stan_data_block(model)),
    parameters = indent(stan_parameters_block(model)),
    `transformed parameters` = indent(stan_transformed_block(model)),
    model = indent("target += log_joint;  // Stan adds the Jacobians of its own transforms"),
    `generated quantities` = indent(stan_generated_block(model))
  )
  blocks <- Filter(length, blocks)
  text <- unlist(
    Map(function(name, lines) c(paste(name, "{"), lines, "}"), names(blocks), blocks),
    use.names = FALSE
  )
  paste0(c(stan_header(model), text, ""), collapse = "\n")
}

stan_header <- function(model) {
  shown <- if (model$known) {
    names(model$pooling) == "mean"
  } else {
    model$K > 1 | names(model$pooling) != "cor"
  }
  pooling <- model$pooling[shown]
  c(
    "// Means and covariance matrices of groups, the model of a fit by the R package hmvn.",
    "// Data: standata(fit).",
    "// Equation numbers as in vignette(\"model\", package = \"hmvn\").",
    paste0("// Pooling: ", paste(names(pooling), pooling, collapse = ", "), "."),
    if (model$framed) "// sigma_frame and L_frame are those of the features in the frame (F1).",
    if (!model$likelihood) "// The prior alone, without data."
  )
}

stan_data_block <- function(model) {
  unit <- if (model$observed == "all") "G" else "P"
  c(
    declarations(
      "int<lower=1> G;", "groups", "int<lower=1> K;", "features",
      if (model$C > 0) c("int<lower=1> C;", "covariates")
    ),
    if (model$likelihood) c(
      if (model$observed != "all") declarations(
        "int<lower=0> P;",
        if (model$observed == "some") {
          "pairs of a group and a pattern of observed features"
        } else {
          "groups with rows"
        },
        "array[P] int<lower=1, upper=G> group;", ""
      ),
      if (model$known) declarations(
        paste0("array[", unit, "] vector[K] ybar;"), "(K1) estimates",
        paste0("array[", unit, "] matrix[K, K] V;"), "and their covariance matrices"
      ) else declarations(
        paste0("vector<lower=0>[", unit, "] n;"), "number of rows, or sum of their weights",
        paste0("array[", unit, "] vector[K] ybar;"), "their mean",
        paste0("array[", unit, "] matrix[K, K] S;"), "their centred scatter matrix",
        if (model$C > 0) c(
          paste0("array[", unit, "] vector[C] xbar;"), "mean of the covariates about centres",
          paste0("array[", unit, "] matrix[C, C] S_xx;"), "their scatter matrix,",
          paste0("array[", unit, "] matrix[C, K] S_xy;"), "and that with the features"
        )
      ),
      if (model$observed == "some") declarations(
        "array[P] int<lower=1, upper=K> n_observed;", "how many features are observed,",
        "array[P, K] int<lower=0, upper=K> observed;", "and which; then zeros, as in ybar and S"
      )
    ),
    if (model$framed) declarations("matrix[K, K] frame;", "C of (F1): Sigma = C Sigma_frame C'"),
    declarations(
      "vector[K] mean_location;", "(P1) mu ~ Normal(m, s)",
      "vector<lower=0>[K] mean_scale;", "",
      if (model$C > 0) c(
        "matrix[C, K] slope_location;", "(P4) beta ~ Normal(l, s)",
        "matrix<lower=0>[C, K] slope_scale;", ""
      )
    ),
    unlist(lapply(c("mean", "slope"), function(block) {
      if (is_mixed(model, block)) stan_mixed_data(model, block)
    })),
    unlist(lapply(names(model$families), stan_sd_data, model = model)),
    if (has_stan_cor(model)) declarations("real<lower=0> eta;", "(P3) Omega ~ LKJ(eta)"),
    if (model$between) declarations("real<lower=0> eta_between;", "(B1) R_b ~ LKJ(eta_between)"),
    stan_heterogeneity(model, learned = FALSE)
  )
}

# Declarations of h where it is a parameter (learned) or part of the data (fixed); with the learned
# go their priors.
stan_heterogeneity <- function(model, learned) {
  unlist(lapply(model$partial, function(block) {
    mixed <- is_mixed(model, block)
    vector <- switch(block, cor = "", slope = "[C, K]", "[K]")
    kind <- switch(block, cor = "real", slope = "matrix", "vector")
    if (mixed) {
      kind <- "vector"
      vector <- paste0("[", sum(model$levels[[block]] == "partial"), "]")
    }
    type <- paste0(kind, "<lower=0, upper=1>", vector, " h_", block, ";")
    if (model$learned[[block]] && !learned) {
      declarations(
        paste0("array[2] real<lower=0> h_", block, "_beta;"),
        paste0("parameters of the Beta prior of h_", block)
      )
    } else if (model$learned[[block]] == learned) {
      declarations(type, paste0("heterogeneity of (S4)", if (!learned) ", fixed"))
    }
  }))
}

stan_parameters_block <- function(model) {
  pooling <- model$pooling
  name <- function(x) stan_name(model, x)
  own <- function(block, name, type, complete, what) {
    switch(pooling[[block]],
      mixed = stan_mixed_parameters(model, block),
      none = declarations(paste0("array[G] ", type, " ", name, ";"), what),
      partial = declarations(
        paste0(switch(block,
          cor = "vector[(K * (K - 1)) %/% 2]", slope = "matrix[C, K]", "vector[K]"
        ), " u0_", block, ";"),
        "population scores of (S4)",
        paste0("array[G] ", type, " ", name, ";"), what
      ),
      complete = declarations(
        paste0(type, " ", complete, ";"), paste0(what, ", the same in all groups")
      )
    )
  }
  c(
    own("mean", "mu", "vector[K]", "mu0", "means"),
    if (model$C > 0) own("slope", "beta", "matrix[C, K]", "beta0", "slopes on the covariates"),
    if (!model$known) {
      own("sd", name("sigma"), "vector<lower=0>[K]", name("sigma0"), "standard deviations")
    },
    if (model$between) {
      size <- if (is_mixed(model, "mean")) sum(model$levels$mean == "partial") else "K"
      declarations(
        paste0("cholesky_factor_corr[", size, "] L_between;"), "Cholesky factor of R_b (B1)"
      )
    },
    if (has_stan_cor(model)) {
      own("cor", name("L"), "cholesky_factor_corr[K]", name("L0"), "Cholesky factors of Omega")
    },
    stan_heterogeneity(model, learned = TRUE)
  )
}

# What is derived, the log prior density and the log joint density.
stan_transformed_block <- function(model) {
  pooling <- model$pooling
  name <- function(x) stan_name(model, x)
  complete <- function(block, line) if (isTRUE(pooling[block] == "complete")) line
  partial <- function(block, line) if (isTRUE(pooling[block] == "partial")) line
  several <- model$K > 1
  c(
    complete("mean", "array[G] vector[K] mu = rep_array(mu0, G);"),
    complete("slope", "array[G] matrix[C, K] beta = rep_array(beta0, G);"),
    complete("sd", paste0(
      "array[G] vector[K] ", name("sigma"), " = rep_array(", name("sigma0"), ", G);"
    )),
    if (several) complete("cor", paste0(
      "array[G] matrix[K, K] ", name("L"), " = rep_array(", name("L0"), ", G);"
    )),
    if (length(model$partial)) {
      paste0(
        "// (S4): groups scatter around v = sqrt(1 - h^2) u_0",
        if (pooling[["mean"]] == "partial") "; means: mu0, v read by (S1)"
      )
    },
    partial("mean", c(
      "vector[K] mu0 = mean_location",
      "                + mean_scale .* sqrt((1 - h_mean) .* (1 + h_mean)) .* u0_mean;",
      "vector[K] tau = mean_scale .* h_mean;"
    )),
    partial("slope", c(
      "matrix[C, K] beta0 = slope_location",
      "                + slope_scale .* sqrt((1 - h_slope) .* (1 + h_slope)) .* u0_slope;",
      "matrix[C, K] tau_slope = slope_scale .* h_slope;"
    )),
    unlist(lapply(c("mean", "slope"), function(block) {
      if (is_mixed(model, block)) stan_mixed_transformed(model, block)
    })),
    partial("sd", "vector[K] v_sd = sqrt((1 - h_sd) .* (1 + h_sd)) .* u0_sd;"),
    partial("cor", "vector[(K * (K - 1)) %/% 2] v_cor = sqrt((1 - h_cor) * (1 + h_cor)) * u0_cor;"),
    "real lprior = 0;  // log prior density",
    "real log_joint;   // log joint density of data, mu, sigma, L, u0 and h: no Jacobians",
    unlist(lapply(names(pooling)[model$learned], function(b) {
      h <- if (b == "slope" && !is_mixed(model, b)) "to_vector(h_slope)" else paste0("h_", b)
      paste0("lprior += beta_lpdf(", h, " | h_", b, "_beta[1], h_", b, "_beta[2]);")
    })),
    unlist(lapply(model$partial, function(b) {
      u0 <- if (b == "slope" && !is_mixed(model, b)) "to_vector(u0_slope)" else paste0("u0_", b)
      paste0("lprior += std_normal_lpdf(", u0, ");")
    })),
    if (model$between) "lprior += lkj_corr_cholesky_lpdf(L_between | eta_between);",
    complete("mean", "lprior += normal_lpdf(mu0 | mean_location, mean_scale);"),
    complete("slope", stan_slope_prior("beta0", "slope_location", "slope_scale")),
    unlist(lapply(c("mean", "slope"), function(block) {
      if (is_mixed(model, block)) stan_mixed_common_prior(model, block)
    })),
    complete("sd", stan_sd_prior(model, name("sigma0"))),
    if (several) {
      complete("cor", paste0("lprior += lkj_corr_cholesky_lpdf(", name("L0"), " | eta);"))
    },
    stan_group_priors(model),
    "log_joint = lprior;",
    if (model$likelihood) stan_likelihood(model)
  )
}

# Priors of what a group has to itself.
stan_group_priors <- function(model) {
  pooling <- model$pooling
  sigma <- paste0(stan_name(model, "sigma"), "[g]")
  L <- paste0(stan_name(model, "L"), "[g]")
  lines <- c(
    switch(pooling[["mean"]],
      mixed = stan_mixed_group_prior(model, "mean"),
      none = "lprior += normal_lpdf(mu[g] | mean_location, mean_scale);",
      partial = if (model$between) {
        "lprior += multi_normal_cholesky_lpdf(mu[g] | mu0, diag_pre_multiply(tau, L_between));"
      } else {
        "lprior += normal_lpdf(mu[g] | mu0, tau);"
      }
    ),
    if (model$C > 0) {
      switch(pooling[["slope"]],
        mixed = stan_mixed_group_prior(model, "slope"),
        none = stan_slope_prior("beta[g]", "slope_location", "slope_scale"),
        partial = stan_slope_prior("beta[g]", "beta0", "tau_slope")
      )
    },
    if (pooling[["sd"]] != "complete") stan_sd_prior(model, sigma),
    if (pooling[["sd"]] == "partial") {
      stan_pooled_scores("sd", stan_by_family(model, "u", "score", sigma))
    },
    if (has_stan_cor(model) && pooling[["cor"]] != "complete") {
      paste0("lprior += lkj_corr_cholesky_lpdf(", L, " | eta);")
    },
    if (pooling[["cor"]] == "partial") {
      stan_pooled_scores("cor", paste0("vector[(K * (K - 1)) %/% 2] u = cor_score(", L, ", eta);"))
    }
  )
  if (length(lines)) c("for (g in 1:G) {", indent(lines), "}")
}

stan_slope_prior <- function(slope, location, scale) {
  paste0(
    "lprior += normal_lpdf(to_vector(", slope, ") | to_vector(", location, "), to_vector(", scale,
    "));"
  )
}

# The density of a group's scores is Normal(v, h); u is standard normal under the prior, whose
# density is there already.
stan_pooled_scores <- function(block, scores) {
  spread <- if (block == "cor") "h_cor" else "h_sd"
  c(
    "{  // (S4) in place of the standard normal law that the scores have under the prior",
    indent(scores),
    indent(paste0("lprior += normal_lpdf(u | v_", block, ", ", spread, ") - std_normal_lpdf(u);")),
    "}"
  )
}
