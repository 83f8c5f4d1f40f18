# What the sampler and its draws say about whether the draws can be trusted.

#' NUTS parameters and log posterior for bayesplot
#'
#' @param object An `hmvn_fit`.
#' @param pars Names of parameters; `NULL` for all.
#' @param ... Not used.
#' @return `nuts_params()`: a data frame with columns Chain, Iteration, Parameter, Value. Where groups were sampled apart or in blocks, they are
#'   put together as [hmvn_fit] says of its part `sampler`. `log_posterior()`: Chain, Iteration, Value of `lp__`.
#' @name nuts_params-hmvn
NULL

#' @rdname nuts_params-hmvn
#' @exportS3Method bayesplot::nuts_params
nuts_params.hmvn_fit <- function(object, pars = NULL, ...) {
  sampler <- Filter(Negate(is.null), object$sampler)
  names(sampler) <- paste0(names(sampler), "__")
  if (!is.null(pars)) sampler <- sampler[names(sampler) %in% pars]
  values <- lapply(sampler, long_format)
  out <- do.call(rbind, unname(values))
  data.frame(
    Chain = out$Chain, Iteration = out$Iteration,
    Parameter = factor(rep(names(values), each = n_draws(object)), levels = names(values)), Value = out$Value
  )
}

#' @rdname nuts_params-hmvn
#' @exportS3Method bayesplot::log_posterior
log_posterior.hmvn_fit <- function(object, ...) long_format(object$draws$lp[, , 1])

# internal -----------------------------------------------------------------

# Warns about what went wrong while sampling, one class a kind, in the words users know from Stan. Returns the headlines, named by kind, for the fit to keep.
sampler_warnings <- function(fit, call = NULL) {
  found <- c(sampler_problems(fit), draws_problems(fit))
  found <- Filter(Negate(is.null), found)
  for (kind in names(found)) warn_hmvn(cli_verbatim(found[[kind]]), kind, call = call)
  vapply(found, function(problem) problem[[1]], character(1))
}

sampler_problems <- function(fit) {
  units <- fit$units
  n_chains <- nchains.hmvn_fit(fit)
  transitions <- units$n * n_chains * (fit$control$iter_sampling %||% niterations.hmvn_fit(fit))
  apart <- units$n > 1
  low <- units$ebfmi < 0.3
  list(
    divergences = count_problem(
      sum(units$divergent, na.rm = TRUE), transitions, "transitions ended with a divergence.",
      x = if (apart) worst_units(fit, rowSums(units$divergent)),
      i = "The draws may miss part of the posterior: increase `adapt_delta`, or look at the data and priors of these groups."
    ),
    treedepth = count_problem(
      sum(units$max_treedepth, na.rm = TRUE), transitions, paste0("transitions hit the maximum tree depth of ", fit$control$max_treedepth, "."),
      x = if (apart) worst_units(fit, rowSums(units$max_treedepth)),
      i = "The draws are valid but cost more than they should: increase `max_treedepth`."
    ),
    ebfmi = count_problem(
      sum(low, na.rm = TRUE), length(low), "chains had an E-BFMI below 0.3.",
      x = if (apart) worst_units(fit, rowSums(low)),
      i = "Exploration of the tails may be poor: run longer chains, or look at the priors."
    )
  )
}

# "12 of 4000 (0.3%) transitions ...", or NULL if there is nothing to say
count_problem <- function(count, total, what, x = NULL, i = NULL) {
  if (count == 0) return(NULL)
  c(paste0(number(count), " of ", number(total), " (", percent(count / total), ") ", what), x = x, i = i)
}

worst_units <- function(fit, counts) {
  counts[is.na(counts)] <- 0
  worst <- utils::head(order(-counts), 3)
  worst <- worst[counts[worst] > 0]
  if (length(worst) == 0) return(NULL)
  affected <- sum(counts > 0)
  paste0(
    "In ", affected, " of ", length(counts), " groups, most in ",
    paste0(fit$statistics$labels[worst], " (", number(counts[worst]), ")", collapse = ", "), "."
  )
}

# Exact draws are independent: there is nothing to converge, and no R-hat to be unlucky with. A draw that is not finite makes the log density so.
draws_problems <- function(fit) {
  checked <- groups_to_check(fit)
  if (length(checked) == 0) {
    if (is.finite(sum(fit$draws$lp))) return(list())
    bad <- sum(!is.finite(fit$draws$lp))
    return(list(nonfinite = c(
      paste0(number(bad), " of ", number(length(fit$draws$lp)), " draws are not finite."), i = "Look at the scale of the data and at the priors."
    )))
  }
  if (niterations.hmvn_fit(fit) < 4) return(list())
  d <- diagnose(fit, groups = checked)
  n_chains <- nchains.hmvn_fit(fit)
  low_bulk <- !is.na(d$ess_bulk) & d$ess_bulk < 100 * n_chains
  low_tail <- !is.na(d$ess_tail) & d$ess_tail < 100 * n_chains
  high <- !is.na(d$rhat) & d$rhat > 1.05
  names <- function(i) stored_name(fit, d$quantity[i], d$element[i])
  list(
    rhat = if (any(high)) {
      worst <- which.max(d$rhat)
      c(
        paste0(
          number(sum(high)), " of ", number(nrow(d)), " (", percent(mean(high)), ") quantities have an R-hat above 1.05, ",
          number(sum(d$rhat > 1.01, na.rm = TRUE)), " above 1.01."
        ),
        x = paste0("The largest R-hat is ", signif(d$rhat[worst], 3), ", of ", names(worst), ": chains have not mixed."),
        i = "Run longer chains (`iter_warmup`, `iter_sampling`)."
      )
    },
    ess = if (any(low_bulk | low_tail)) {
      smallest <- pmin(d$ess_bulk, d$ess_tail, na.rm = TRUE)
      worst <- which.min(smallest)
      c(
        paste0(
          number(sum(low_bulk | low_tail)), " of ", number(nrow(d)), " (", percent(mean(low_bulk | low_tail)),
          ") quantities have a bulk or tail ESS below 100 a chain."
        ),
        x = paste0("Bulk ", number(sum(low_bulk)), ", tail ", number(sum(low_tail)), "; the smallest is ", round(smallest[worst]), ", of ", names(worst), "."),
        i = "Means, medians (bulk) and tail quantiles (tail) may be unreliable: increase `iter_sampling`."
      )
    },
    nonfinite = if (any(d$nonfinite)) {
      c(
        paste0(number(sum(d$nonfinite)), " of ", number(nrow(d)), " quantities have draws that are not finite."),
        x = paste0("The first is ", names(which(d$nonfinite)[1]), "."),
        i = "Look at the scale of the data and at the priors."
      )
    }
  )
}

# The groups that were not drawn exactly, by number
groups_to_check <- function(fit) {
  exact <- fit$units$algorithm == "exact"
  which(!rep_len(exact, n_groups(fit)))
}

# Diagnostics of everything stored, each once (not per group what groups share), for `groups`: a data frame quantity,
# element, rhat, ess_bulk, ess_tail, nonfinite. Elements of a quantity are counted over all groups.
diagnose <- function(fit, cores = fit$control$cores %||% 1L, groups = seq_len(n_groups(fit))) {
  shared <- Filter(Negate(is.null), stored_shared(fit))
  found <- c(
    lapply(shared, summarise_array_, numeric(), cores),
    lapply(own_quantities(fit), function(name) summarise_groups(fit, name, groups, numeric(), cores))
  )
  size <- vapply(found, nrow, 1L)
  numbers <- if (length(found) == 1L) found[[1]] else do.call(rbind, unname(found))
  number_own <- function(n) {
    each <- n / length(groups)
    rep((groups - 1) * each, each = each) + seq_len(each)
  }
  own <- seq_along(found) > length(shared)
  element <- c(lapply(size[!own], seq_len), lapply(size[own], number_own))
  columns <- list(
    quantity = rep(names(found), size), element = unlist(element, use.names = FALSE),
    rhat = numbers[, 4], ess_bulk = numbers[, 5], ess_tail = numbers[, 6], nonfinite = is.na(numbers[, 1])
  )
  structure(columns, class = "data.frame", row.names = .set_row_names(length(columns$quantity)))
}

# What all groups share, as arrays. Under complete pooling the population's values are the groups' and not looked at
# twice.
stored_shared <- function(fit) {
  d <- fit$draws
  partial <- fit$pooling == "partial"
  one_chol <- shares_chol(fit) && !is.null(d$chol)
  list(
    lp__ = d$lp,
    mu = if (fit$pooling[["mean"]] == "complete") d$mean,
    sigma = if (one_chol) packed_draws(fit, "sigma", 1L),
    Omega = if (one_chol && n_features(fit) > 1) packed_draws(fit, "Omega", 1L),
    mu0 = if (partial[["mean"]]) d$mean0, sigma0 = if (partial[["sd"]]) d$scale0,
    Omega0 = if (partial[["cor"]] && !is.null(d$chol_cor0)) derive_quantity_(d$chol_cor0, n_features(fit), 1L, "Omega", TRUE),
    h_mean = d$h_mean, h_sd = d$h_sd, h_cor = d$h_cor
  )
}

# Quantities that every group has its own values of, among those kept
own_quantities <- function(fit) {
  own_chol <- !shares_chol(fit) && !is.null(fit$draws$chol)
  names <- c(
    if (fit$pooling[["mean"]] != "complete" && !is.null(fit$draws$mean)) "mu",
    if (own_chol) "sigma",
    if (own_chol && n_features(fit) > 1) "Omega"
  )
  stats::setNames(names, names)
}

# `mu[A,x]` for an element of stored draws
stored_name <- function(fit, quantity, element) {
  layout <- packed_layout(fit, quantity)
  each <- max(nrow(layout), 1L)
  entry <- (element - 1) %% each + 1
  group <- if (by_group(fit, quantity)) (element - 1) %/% each + 1
  packed_names(fit, quantity, group, layout$feature[entry], layout$feature2[entry])
}

long_format <- function(values) {
  values <- as.matrix(values)
  data.frame(Chain = rep(seq_len(ncol(values)), each = nrow(values)), Iteration = rep(seq_len(nrow(values)), ncol(values)), Value = c(values))
}

number <- function(x) format(x, big.mark = ",", trim = TRUE, scientific = FALSE)
percent <- function(share) if (share > 0 && share < 0.001) "<0.1%" else paste0(format(round(100 * share, 1), nsmall = 1), "%")
# Labels may hold braces, which cli would read as code.
cli_verbatim <- function(text) {
  out <- gsub("}", "}}", gsub("{", "{{", text, fixed = TRUE), fixed = TRUE)
  stats::setNames(out, names(text))
}
