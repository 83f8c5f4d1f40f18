# Pictures of draws: how chains mixed, and what the data added to the prior.

# internal -----------------------------------------------------------------

# Traces, ranks and energies are bayesplot's.
plot_chains <- function(fit, type, variable, call) {
  require_package("bayesplot", "{.fn plot}", call)
  if (type == "energy") {
    if (!all(fit$units$algorithm %in% c("hmc", "nuts"))) {
      abort_no_meaning(
        "plot", "Independent draws and independence steps have no energy.",
        "{.code plot(fit, \"trace\")}", call
      )
    }
    return(bayesplot::mcmc_nuts_energy(bayesplot::nuts_params(fit)))
  }
  draws <- as.array.hmvn_fit(fit, variable = variable %||% chain_variables(fit))
  draw <- if (type == "trace") bayesplot::mcmc_trace else bayesplot::mcmc_rank_overlay
  draw(draws)
}

# What says most of how all chains mixed: the log density, and what groups share.
chain_variables <- function(fit) {
  shared <- intersect(c("h_mean", "h_sd", "h_cor", "mu0"), quantity_names(fit, "draws"))
  named <- unlist(lapply(shared, element_names, fit = fit))
  c("lp__", utils::head(if (length(named)) named else mean_names(fit), 8L))
}

# Densities of quantities before the data and after. The prior is sampled, with the fit's seed.
plot_prior <- function(fit, variable, call) {
  variable <- variable %||% prior_variables(fit)
  prior <- suppressMessages(update.hmvn_fit(fit, prior_only = TRUE, progress = FALSE))
  read <- function(from, name) {
    values <- as.matrix.hmvn_fit(from, variable = variable)
    data.frame(
      value = c(values), of = factor(rep(colnames(values), each = nrow(values)), colnames(values)),
      from = factor(name, c("prior", "posterior"))
    )
  }
  before <- read(prior, "prior")
  after <- read(fit, "posterior")
  # heavy tails of a prior would hide the posterior
  ends <- vapply(split(before$value, before$of), stats::quantile, double(2), c(0.005, 0.995))
  before <- before[before$value > ends[1L, before$of] & before$value < ends[2L, before$of], ]
  aes <- ggplot2::aes
  ggplot2::ggplot(rbind(before, after), aes(.data$value, fill = .data$from)) +
    ggplot2::geom_density(aes(colour = .data$from), alpha = 0.3) +
    panels_by(after, "of", "free") +
    ggplot2::scale_colour_manual(
      values = c(prior = "grey50", posterior = okabe_ito[[1L]]), name = NULL
    ) +
    ggplot2::scale_fill_manual(
      values = c(prior = "grey50", posterior = okabe_ito[[1L]]), name = NULL
    ) +
    ggplot2::labs(x = NULL, y = "density") + plain_theme()
}

# What groups share, or, where they share nothing, the first group's.
prior_variables <- function(fit) {
  shared <- intersect(
    c("mu0", "sigma0", "h_mean", "h_sd", "h_cor"), quantity_names(fit, "draws")
  )
  names <- unlist(lapply(shared, element_names, fit = fit))
  if (length(names) > 0L) {
    return(utils::head(names, 12L))
  }
  own <- lapply(c("mu", "sigma"), element_names, fit = fit, groups = 1L)
  utils::head(unlist(own), 12L)
}
