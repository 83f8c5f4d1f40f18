# loo() against leaving out: every row of real data is left out in turn, the model is fitted to the
# others, and the density of that row compared with what loo::loo() says of it from one fit.
#
#   Rscript loo_exact.R [case ...]
#
# Saved in results/loo_exact.csv, a row a row of the data: both values with their Monte Carlo
# errors, and the Pareto k, above 0.7 of which loo() itself says that it is not to be relied on.
# Prints the largest difference in Monte Carlo errors of the others, and sums.

cases <- list(
  cars = list(
    data = transform(mtcars, mpg = log(mpg), wt = log(wt)), group = ~cyl, features = ~ mpg + wt,
    pooling = "partial"
  ),
  # cells are missing
  ozone = list(
    data = transform(airquality[airquality$Month %in% 5:7, ], Ozone = log(Ozone)), group = ~Month,
    features = ~ Ozone + Wind + Temp, pooling = "partial"
  ),
  ozone_unpooled = list(
    data = transform(airquality[airquality$Month %in% 5:7, ], Ozone = log(Ozone)), group = ~Month,
    features = ~ Ozone + Wind + Temp, pooling = "none"
  )
)

# The log of the mean of exp(x) [draw, chain] and its Monte Carlo error.
log_mean <- function(x) {
  r <- exp(x - max(x))
  c(max(x) + log(mean(r)), posterior::mcse_mean(r) / mean(r))
}

compare_with_exact <- function(case) {
  # priors that scale with the data would change with the rows
  numbers <- hmvn_prior(
    mean = dist_normal(colMeans(case$data[all.vars(case$features)], na.rm = TRUE), 10),
    sd = dist_exponential(1 / apply(case$data[all.vars(case$features)], 2, sd, na.rm = TRUE)),
    cor = dist_lkj(2)
  )
  fit_to <- function(data, seed) {
    suppressWarnings(suppressMessages(fit_hmvn(
      data, group = case$group, features = case$features, pooling = case$pooling, prior = numbers,
      iter_sampling = 2000, seed = seed, progress = FALSE
    )))
  }
  found <- suppressWarnings(loo::loo(fit_to(case$data, 1)))
  exact <- vapply(seq_len(nrow(case$data)), function(i) {
    one <- log_lik(fit_to(case$data[-i, ], 1 + i), case$data[i, ])
    log_mean(matrix(one, ncol = 4))
  }, double(2))
  data.frame(
    row = seq_len(nrow(case$data)), loo = found$pointwise[, "elpd_loo"],
    loo_error = found$pointwise[, "mcse_elpd_loo"], k = loo::pareto_k_values(found),
    exact = exact[1L, ], exact_error = exact[2L, ]
  )
}

library(hmvn)
here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
chosen <- commandArgs(trailingOnly = TRUE)
if (length(chosen) == 0L) chosen <- names(cases)
result <- do.call(rbind, lapply(chosen, function(name) {
  cbind(case = name, compare_with_exact(cases[[name]]))
}))
numeric <- vapply(result, is.double, TRUE)
result[numeric] <- signif(result[numeric], 6)
utils::write.csv(result, file.path(here, "results", "loo_exact.csv"), row.names = FALSE)
for (one in split(result, result$case)) {
  good <- one$k <= 0.7
  z <- (one$loo - one$exact) / sqrt(one$loo_error^2 + one$exact_error^2)
  cat(sprintf(
    "%s: %d rows, %d with k > 0.7; elpd %.2f, exact %.2f; largest difference %.1f errors\n",
    one$case[[1L]], nrow(one), sum(!good), sum(one$loo), sum(one$exact), max(abs(z[good]))
  ))
}
