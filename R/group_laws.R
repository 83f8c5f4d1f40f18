# A group's Normal distribution as matrices of draws, the typical group's too: what comparisons of
# groups compute with.

# internal -----------------------------------------------------------------

typical_label <- "typical"

# list(mean = [draw, K], chol = [draw, packed], label) of a group by position; 0: the typical group.
group_law <- function(fit, group, chosen) {
  if (group == 0L) {
    return(typical_law(fit, chosen))
  }
  k <- n_features(fit)
  size <- k * (k + 1L) / 2L
  entries <- (stored_groups(fit, "chol", group) - 1L) * size + seq_len(size)
  list(
    mean = draw_matrix(mean_draws(fit, group), chosen),
    chol = draw_matrix(stored(fit, "chol")[, , entries, drop = FALSE], chosen),
    label = fit$statistics$labels[[group]]
  )
}

# The factor of Sigma0 is that of Omega0 with its rows scaled.
typical_law <- function(fit, chosen) {
  k <- n_features(fit)
  scale <- draw_matrix(fit$draws$scale0, chosen)
  factor <- if (k == 1L) 1 else draw_matrix(fit$draws$chol_cor0, chosen)
  list(
    mean = draw_matrix(fit$draws$mean0, chosen),
    chol = scale[, rep(seq_len(k), seq_len(k)), drop = FALSE] * factor, label = typical_label
  )
}

has_typical_group <- function(fit) {
  pooled <- fit$pooling[names(pooling_of(model_of(fit)))] != "none"
  all(pooled)
}

# A label of a group, or "typical", as a position; 0: the typical group.
match_reference <- function(fit, label, arg, call) {
  if (!identical(label, typical_label) || label %in% fit$statistics$labels) {
    if (length(label) != 1L) abort_argument(arg, "one label of a group", label, call)
    return(match_groups(fit, label, call))
  }
  if (has_typical_group(fit)) {
    return(0L)
  }
  generic <- if (arg == "to") "group_distance" else "compare_groups"
  abort_no_meaning(
    generic, "Without pooling of means, sds and correlations there is no typical group.",
    "it with a group's label, or fit with {.code pooling = \"partial\"}", call
  )
}

# What is compared of a law: mean and sd [draw, K], cor [draw, pair], log_volume [draw, 1] (of the
# ellipsoid, less a constant: log |L|), log_cov [draw, packed]. `parts`: names of those needed.
law_parts <- function(law, parts, cores) {
  k <- ncol(law$mean)
  packed <- array(law$chol, c(nrow(law$chol), 1L, ncol(law$chol)))
  derive <- function(kind) matrix(derive_quantity_(packed, k, 1L, kind, TRUE), nrow(law$chol))
  made <- list(
    mean = function() law$mean,
    sd = function() derive("sigma"),
    cor = function() derive("Omega"),
    log_volume = function() {
      diagonal <- law$chol[, cumsum(seq_len(k)), drop = FALSE]
      matrix(rowSums(log(abs(diagonal))))
    },
    log_cov = function() log_covariances_(law$chol, k, cores)
  )
  c(law, lapply(made[setdiff(parts, names(law))], function(make) make()))
}

# Distances of two laws, [draw, measure], of those `measures` asks for.
law_distances <- function(a, b, measures, cores) {
  out <- list()
  if ("log_euclidean" %in% measures) {
    # each entry off the diagonal stands for two
    k <- ncol(a$mean)
    twice <- rep(2, ncol(a$chol))
    twice[cumsum(seq_len(k))] <- 1
    out$log_euclidean <- sqrt(drop((a$log_cov - b$log_cov)^2 %*% twice))
  }
  if (any(measures != "log_euclidean")) {
    found <- normal_distances_(a$mean, a$chol, b$mean, b$chol, cores)
    colnames(found) <- distance_measures[-1L]
    out <- c(out, as.list(as.data.frame(found)))
  }
  do.call(cbind, out[measures])
}

distance_measures <- c("log_euclidean", "affine_invariant", "bhattacharyya", "jeffreys")
