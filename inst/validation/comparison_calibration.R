# Is a probability that compare_groups() states the frequency of what it is stated of?
#
#   Rscript comparison_calibration.R [simulations = 1200] [variant ...]
#
# Parameters are drawn from the prior and data from the model by model_in_r.R, which shares no code
# with the package; fit_hmvn() is run on the data, and compare_groups() on the first two groups. Of
# all simulations in which it says that A exceeds B with probability p, A exceeds B in a share p.
# One pair a simulation: pairs of one simulation are not independent. No fit is excluded. Saved in
# results/comparison_calibration.csv.gz: a row a quantity of a simulation, the probability that was
# stated (`p`), and whether it was so (`larger`).

comparison_variants <- function() {
  all_of <- function(x) c(mean = x, sd = x, cor = x)
  list(
    none = list(pooling = all_of("none"), sizes = c(6, 12)),
    partial = list(pooling = all_of("partial"), sizes = c(4, 8, 6, 15)),
    partial_missing = list(pooling = all_of("partial"), sizes = c(6, 12, 8, 20), missing = 0.2)
  )
}

# What is compared, of a group as r_prior_draw() has it.
compared_of <- function(group) {
  K <- length(group$mu)
  R <- tcrossprod(group$L)
  c(
    stats::setNames(group$mu, paste0("mean_y", seq_len(K))),
    stats::setNames(group$sigma, paste0("sd_y", seq_len(K))),
    cor_y1_y2 = R[2, 1], log_volume = sum(log(group$sigma)) + sum(log(diag(group$L)))
  )
}

compare_once <- function(variant, simulation, K = 2) {
  set.seed(simulation)
  model <- r_model(K, variant$pooling)
  truth <- r_prior_draw(model, length(variant$sizes))
  missing <- if (is.null(variant$missing)) 0 else variant$missing
  data <- r_data(truth, variant$sizes, missing)
  fit <- suppressWarnings(suppressMessages(fit_hmvn(
    data, group = ~g, features = paste0("y", seq_len(K)), pooling = as.list(model$pooling),
    prior = prior_of(model), chains = 1, iter_warmup = 500, iter_sampling = 2000,
    seed = simulation, progress = FALSE
  )))
  labels <- fit$statistics$labels[1:2]
  stated <- compare_groups(fit, group = labels, what = c("mean", "sd", "cor", "volume"))
  stated <- stated[stated$quantity != "log_sd", ]
  stopifnot(all(stated$group %in% labels))
  name <- gsub("_NA", "", paste(stated$quantity, stated$feature, stated$feature2, sep = "_"))
  difference <- compared_of(truth$groups[[1L]]) - compared_of(truth$groups[[2L]])
  # `group` less `reference`, whichever of the two comes first
  if (stated$group[[1L]] != labels[[1L]]) difference <- -difference
  stopifnot(setequal(name, names(difference)))
  data.frame(
    simulation = simulation, quantity = name, p = stated$p_positive,
    larger = as.integer(difference[name] > 0)
  )
}

# By classes of the stated probability: how often it was so, what was expected, and the Monte Carlo
# error of that.
comparison_classes <- function(result, classes = 10) {
  class <- cut(result$p, seq(0, 1, length.out = classes + 1), include.lowest = TRUE)
  table <- data.frame(
    class = levels(class), n = as.vector(table(class)),
    stated = as.vector(tapply(result$p, class, mean)),
    found = as.vector(tapply(result$larger, class, mean)),
    error = as.vector(sqrt(tapply(result$p * (1 - result$p), class, sum))) / as.vector(table(class))
  )
  table[table$n > 0, ]
}

# Chi-squared over classes of the stated probability (Hosmer and Lemeshow 1980, whose degrees of
# freedom are less since they fit), by quantity. Each class has the same share of the variance
# p (1 - p), so that none rests on outcomes that were all but certain.
comparison_p_values <- function(result, classes = 10) {
  vapply(split(result, factor(result$quantity, unique(result$quantity))), function(one) {
    one <- one[order(one$p), ]
    variance <- one$p * (1 - one$p)
    share <- (cumsum(variance) - variance / 2) / sum(variance)
    class <- factor(ceiling(classes * share), seq_len(classes))
    z2 <- tapply(one$larger - one$p, class, sum)^2 / tapply(variance, class, sum)
    stats::pchisq(sum(z2), classes, lower.tail = FALSE)
  }, 0)
}

if (sys.nframe() == 0L) {
  library(hmvn)
  here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
  source(file.path(here, "model_in_r.R"))
  source(file.path(here, "sbc.R"))
  args <- commandArgs(TRUE)
  n <- if (length(args) > 0) as.integer(args[[1]]) else 1200L
  chosen <- if (length(args) > 1) args[-1] else names(comparison_variants())
  result <- do.call(rbind, lapply(chosen, function(name) {
    rows <- lapply(seq_len(n), compare_once, variant = comparison_variants()[[name]])
    cbind(variant = name, do.call(rbind, rows))
  }))
  file <- file.path(here, "results", "comparison_calibration.csv.gz")
  utils::write.csv(result, gzfile(file), row.names = FALSE)
  p <- unlist(lapply(split(result, result$variant), comparison_p_values))
  print(signif(stats::p.adjust(p, "holm"), 3))
}
