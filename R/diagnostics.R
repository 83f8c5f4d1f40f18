# What the sampler and its draws say about whether the draws can be trusted.

#' NUTS parameters and log posterior for bayesplot
#'
#' What \pkg{bayesplot} needs to draw how the chains moved.
#'
#' @param object An `hmvn_fit`.
#' @param pars Names of parameters; `NULL` for all.
#' @param ... Must be empty.
#' @return `nuts_params()`: a data frame with columns Chain, Iteration, Parameter, Value. Where
#'   groups were sampled apart or in blocks, they are put together as [hmvn_fit] says of its part
#'   `sampler`. `log_posterior()`: Chain, Iteration, Value of `lp__`.
#' @seealso [plot(fit, "energy")][plot.hmvn_fit],
#'   [posterior_interval()][posterior_interval.hmvn_fit] and what stands there for R-hat and
#'   effective sample sizes.
#' @examplesIf requireNamespace("bayesplot", quietly = TRUE)
#' fit <- fit_hmvn(iris, group = ~ Species, pooling = "partial", chains = 2, seed = 1)
#' head(bayesplot::nuts_params(fit))
#' head(bayesplot::log_posterior(fit))
#' @name nuts_params-hmvn
NULL

#' @rdname nuts_params-hmvn
#' @exportS3Method bayesplot::nuts_params
nuts_params.hmvn_fit <- function(object, pars = NULL, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_fit(object, call)
  sampler <- Filter(Negate(is.null), object$sampler)
  names(sampler) <- paste0(names(sampler), "__")
  if (!is.null(pars)) {
    pars <- check_text(pars, "pars", "names of parameters, or NULL for all", call)
    sampler <- sampler[vapply(unique(pars), check_choice, "", "pars", names(sampler), call)]
  }
  values <- lapply(sampler, long_format)
  out <- do.call(rbind, unname(values))
  parameter <- factor(rep(names(values), each = n_draws(object)), levels = names(values))
  data.frame(
    Chain = out$Chain, Iteration = out$Iteration, Parameter = parameter, Value = out$Value
  )
}

#' @rdname nuts_params-hmvn
#' @exportS3Method bayesplot::log_posterior
log_posterior.hmvn_fit <- function(object, ...) {
  call <- rlang::current_env()
  check_no_dots(..., known = "object", call = call)
  check_fit(object, call)
  long_format(array(object$draws$lp, n_kept(object)))
}

# internal -----------------------------------------------------------------

long_format <- function(values) {
  values <- as.matrix(values)
  data.frame(
    Chain = rep(seq_len(ncol(values)), each = nrow(values)),
    Iteration = rep(seq_len(nrow(values)), ncol(values)),
    Value = c(values)
  )
}

# Warns about what went wrong while sampling, one class a kind, in the words users know from Stan.
# `run`: see new_hmvn_run(). Returns the headlines, named by kind, for the fit to keep.
sampler_warnings <- function(run, call = NULL) {
  found <- Filter(Negate(is.null), c(sampler_problems(run), draws_problems(run)))
  for (kind in names(found)) warn_hmvn(cli_verbatim(found[[kind]]), kind, call = call)
  vapply(found, function(problem) problem[[1]], character(1))
}

sampler_problems <- function(fit) {
  units <- fit$units
  transitions <- units$n * n_chains(fit) * fit$control$iter_sampling
  low <- units$ebfmi < 0.3
  worst <- function(counts) if (units$n > 1) worst_units(fit, rowSums(counts))
  list(
    divergences = count_problem(
      sum(units$divergent, na.rm = TRUE), transitions,
      "transitions ended with a divergence.",
      x = worst(units$divergent),
      i = paste(
        "The draws may miss part of the posterior: increase `adapt_delta`, or look at the data and",
        "priors of these groups."
      )
    ),
    treedepth = count_problem(
      sum(units$max_treedepth, na.rm = TRUE), transitions,
      paste0("transitions hit the maximum tree depth of ", fit$control$max_treedepth, "."),
      x = worst(units$max_treedepth),
      i = "The draws are valid but cost more than they should: increase `max_treedepth`."
    ),
    ebfmi = count_problem(
      sum(low, na.rm = TRUE), length(low),
      "chains had an E-BFMI below 0.3.",
      x = worst(low),
      i = "Exploration of the tails may be poor: run longer chains, or look at the priors."
    )
  )
}

# "12 of 4000 (0.3%) transitions ...", or NULL if there is nothing to say
count_problem <- function(count, total, what, x = NULL, i = NULL) {
  if (count == 0) {
    return(NULL)
  }
  c(paste(share_of(count, total), what), x = x, i = i)
}

share_of <- function(count, total) {
  paste0(number(count), " of ", number(total), " (", percent(count / total), ")")
}

worst_units <- function(fit, counts) {
  counts[is.na(counts)] <- 0
  worst <- utils::head(order(-counts), 3)
  worst <- worst[counts[worst] > 0]
  if (length(worst) == 0) {
    return(NULL)
  }
  named <- paste0(fit$statistics$labels[worst], " (", number(counts[worst]), ")", collapse = ", ")
  paste0("In ", sum(counts > 0), " of ", length(counts), " groups, most in ", named, ".")
}

# Exact draws are independent: there is nothing to converge, and no R-hat to be unlucky with. A draw
# that is not finite makes the log density so.
draws_problems <- function(fit) {
  checked <- groups_to_check(fit)
  if (length(checked) == 0) {
    return(list(nonfinite = nonfinite_draws(fit)))
  }
  if (n_kept(fit)[[1L]] < 4) {
    return(list())
  }
  d <- diagnose(fit, groups = checked)
  name <- function(i) stored_name(fit, d$quantity[i], d$element[i])
  list(
    rhat = rhat_problem(d, name), ess = ess_problem(d, name, n_chains(fit)),
    nonfinite = nonfinite_problem(d, name)
  )
}

has_have <- function(n) if (n == 1) "has" else "have"

nonfinite_draws <- function(fit) {
  bad <- sum(!is.finite(fit$draws$lp))
  if (bad == 0) {
    return(NULL)
  }
  c(
    paste0(
      number(bad), " of ", number(length(fit$draws$lp)), " draws ", if (bad == 1) "is" else "are",
      " not finite."
    ),
    i = "Look at the scale of the data and at the priors."
  )
}

# `d`: see diagnose(); `name`: the name of a row of it.
rhat_problem <- function(d, name) {
  high <- sum(d$rhat > 1.05, na.rm = TRUE)
  if (high == 0) {
    return(NULL)
  }
  worst <- which.max(d$rhat)
  c(
    paste0(
      share_of(high, nrow(d)), " quantities ", has_have(high), " an R-hat above 1.05, ",
      number(sum(d$rhat > 1.01, na.rm = TRUE)), " above 1.01."
    ),
    x = paste0(
      "The largest R-hat is ", signif(d$rhat[worst], 3), ", of ", name(worst),
      ": chains have not mixed."
    ),
    i = "Run longer chains (`iter_warmup`, `iter_sampling`)."
  )
}

ess_problem <- function(d, name, n_chains) {
  bulk <- !is.na(d$ess_bulk) & d$ess_bulk < 100 * n_chains
  tail <- !is.na(d$ess_tail) & d$ess_tail < 100 * n_chains
  if (!any(bulk | tail)) {
    return(NULL)
  }
  smallest <- pmin(d$ess_bulk, d$ess_tail, na.rm = TRUE)
  worst <- which.min(smallest)
  low <- sum(bulk | tail)
  c(
    paste0(
      share_of(low, nrow(d)), " quantities ", has_have(low),
      " a bulk or tail ESS below 100 a chain."
    ),
    x = paste0(
      "Bulk ", number(sum(bulk)), ", tail ", number(sum(tail)), "; the smallest is ",
      round(smallest[worst]), ", of ", name(worst), "."
    ),
    i = paste(
      "Means, medians (bulk) and tail quantiles (tail) may be unreliable: increase",
      "`iter_sampling`."
    )
  )
}

nonfinite_problem <- function(d, name) {
  bad <- sum(d$nonfinite)
  if (bad == 0) {
    return(NULL)
  }
  c(
    paste0(
      number(bad), " of ", number(nrow(d)), " quantities ", has_have(bad),
      " draws that are not finite."
    ),
    x = paste0("The first is ", name(which(d$nonfinite)[1]), "."),
    i = "Look at the scale of the data and at the priors."
  )
}

# The groups that were not drawn exactly, by number
groups_to_check <- function(fit) {
  exact <- fit$units$algorithm == "exact"
  which(!rep_len(exact, n_groups(fit)))
}

# Diagnostics of everything that is judged, each once (not per group what groups share), for
# `groups`: a data frame quantity, element, rhat, ess_bulk, ess_tail, nonfinite. Elements of a
# quantity are counted over all groups.
diagnose <- function(fit, groups = seq_len(n_groups(fit))) {
  cores <- fit$control$cores
  how <- list(prob = numeric(), cores = cores)
  common <- judged_quantities(fit, common = TRUE)
  own <- judged_quantities(fit, common = FALSE)
  found <- c(
    lapply(
      common, function(name) summarise_array_(packed_quantity(fit, name, 1L), numeric(), cores)
    ),
    lapply(own, function(name) summarise_groups(fit, name, groups, how))
  )
  size <- vapply(found, nrow, 1L)
  numbers <- if (length(found) == 1L) found[[1]] else do.call(rbind, found)
  number_own <- function(n) {
    each <- n / length(groups)
    rep((groups - 1) * each, each = each) + seq_len(each)
  }
  is_own <- rep(c(FALSE, TRUE), c(length(common), length(own)))
  element <- c(lapply(size[!is_own], seq_len), lapply(size[is_own], number_own))
  columns <- list(
    quantity = rep(c(common, own), size), element = unlist(element, use.names = FALSE),
    rhat = unname(numbers[, "rhat"]), ess_bulk = unname(numbers[, "ess_bulk"]),
    ess_tail = unname(numbers[, "ess_tail"]), nonfinite = is.na(unname(numbers[, "mean"]))
  )
  structure(columns, class = "data.frame", row.names = .set_row_names(length(columns$quantity)))
}

# `mu[A,x]` for an element of a judged quantity
stored_name <- function(fit, quantity, element) {
  layout <- packed_layout(fit, quantity)
  each <- max(nrow(layout), 1L)
  entry <- (element - 1) %% each + 1
  group <- if (quantities[[quantity]]$by_group) (element - 1) %/% each + 1
  packed_names(fit, quantity, group, layout[entry, , drop = FALSE])
}
