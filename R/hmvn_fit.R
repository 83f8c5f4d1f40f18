#' The fitted model
#'
#' What [fit_hmvn()] returns: a list of class `hmvn_fit`. Read it through its methods
#' rather than its parts: [as_draws.hmvn_fit], [summary.hmvn_fit], [group_mean()],
#' [group_cov()].
#'
#' @section Parts:
#' G groups, K features, M = K(K + 1)/2; arrays are `[iteration, chain, index]`.
#' \describe{
#'   \item{`call`}{the call}
#'   \item{`data`}{the columns that were read, by reference, or `NULL`}
#'   \item{`statistics`}{the [hmvn_statistics()] the sampler saw}
#'   \item{`prior`, `prior_given`}{the prior with every constant resolved, and as it was given}
#'   \item{`pooling`}{`c(mean = , sd = , cor = )`}
#'   \item{`specification`}{what [update()][update.hmvn_fit] says again: the name of the column of `weights`, `pooling` as
#'     it was given, and those `settings` of the sampler that were given}
#'   \item{`draws`}{a list of arrays: `mean` (G K, feature fastest; K under complete pooling), `chol`
#'     (G M: Cholesky factor of `Sigma`, lower triangle row by row; M if standard deviations and
#'     correlations are both completely pooled), `mean0`, `scale0`, `chol_cor0` (population: means, standard
#'     deviations, Cholesky factor of the correlation matrix), `h_mean`, `h_sd`, `h_cor`
#'     (heterogeneities), `lp` and `lprior` (log joint density and log prior). What does not apply, or was not to be
#'     kept, is `NULL`.}
#'   \item{`sampler`}{matrices `[iteration, chain]`: `accept_stat`, `stepsize`, `treedepth`,
#'     `n_leapfrog`, `divergent`, `energy`; over groups sampled apart the mean, mean, largest, sum, sum, sum.
#'     Where groups share a quantity an iteration moves this first and then every group: `accept_stat` is the mean over
#'     these blocks, `stepsize` that of what is shared, `treedepth` the largest, `n_leapfrog` the steps of what is
#'     shared and the average group's, `divergent` whether any was, and `energy` is `-lp__`.
#'     Under `"hmc"`, `stepsize` is an angle in radians, and `treedepth` is 0, or `max_treedepth` where a trajectory would
#'     have needed more steps}
#'   \item{`units`}{for every sampling unit (the groups that share a quantity) and chain:
#'     `divergent`, `max_treedepth` (counts), `ebfmi` (of single blocks only), and by unit the `algorithm` that drew it: `"exact"`
#'     (independent draws by rejection), `"direct"` (independence steps), `"hmc"` (Hamiltonian Monte Carlo in blocks) or
#'     `"nuts"`}
#'   \item{`control`}{the settings of the sampler}
#'   \item{`warnings`}{the texts of the warnings given after sampling}
#'   \item{`time`}{`warmup`, `sampling` (seconds of each chain, summed over units) and `total`}
#' }
#'
#' @name hmvn_fit
NULL

# internal -----------------------------------------------------------------

new_hmvn_fit <- function(data, statistics, model, sampled, control) {
  structure(
    list(
      call = NULL,
      data = data,
      statistics = statistics,
      prior = model$prior,
      prior_given = model$prior_given,
      pooling = model$pooling,
      specification = NULL,
      draws = sampled$draws,
      sampler = sampled$sampler,
      units = sampled$units,
      control = control,
      warnings = character(),
      time = list(warmup = sampled$seconds[, 1], sampling = sampled$seconds[, 2], total = NA_real_)
    ),
    class = "hmvn_fit"
  )
}
