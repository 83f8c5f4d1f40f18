# Which prior predicts rows that it has not seen better: on the raw features, or in the pooled
# frame?
#
#   Rscript frame_held_out.R [data set ...]
#
# Data sets that come with R and its recommended packages, groups unpooled, every prior the default.
# Rows are left out in ten folds, the same for both priors, and their log density under the
# posterior of the others is summed; of three divisions into folds the average. One row a data set
# is saved in results/frame_held_out.csv: both sums, their difference (pooled less raw) with its
# standard error over rows, and the typical (root mean square) correlation within groups.

held_out_cases <- function() {
  crabs <- MASS::crabs
  crabs$kind <- paste(crabs$sp, crabs$sex)
  returns <- 100 * diff(log(datasets::EuStockMarkets))
  state <- data.frame(region = datasets::state.region, datasets::state.x77)
  state[c("Population", "Area")] <- log(state[c("Population", "Area")])
  swiss <- transform(datasets::swiss, catholic = Catholic > 50, Catholic = NULL)
  growth <- stats::reshape(
    as.data.frame(nlme::Orthodont), direction = "wide", v.names = "distance", timevar = "age",
    idvar = c("Subject", "Sex")
  )
  epil <- stats::reshape(
    MASS::epil[c("subject", "trt", "period", "y")], direction = "wide", v.names = "y",
    idvar = c("subject", "trt"), timevar = "period"
  )
  epil[3:6] <- log1p(epil[3:6])
  cpus <- data.frame(log1p(MASS::cpus[2:8]))
  case <- function(data, group, ...) list(data = data, group = group, features = c(...))
  list(
    iris = case(datasets::iris, "Species", names(datasets::iris)[1:4]),
    crabs = case(crabs, "kind", "FL", "RW", "CL", "CW", "BD"),
    cats = case(MASS::cats, "Sex", "Bwt", "Hwt"),
    mtcars = case(datasets::mtcars, "am", "mpg", "disp", "hp", "drat", "wt", "qsec"),
    states = case(state, "region", names(state)[-1]),
    swiss = case(swiss, "catholic", names(swiss)[1:5]),
    attitude = case(datasets::attitude, NULL, names(datasets::attitude)),
    longley = case(datasets::longley, NULL, names(datasets::longley)[-6]),
    USArrests = case(datasets::USArrests, NULL, names(datasets::USArrests)),
    stocks = case(
      data.frame(year = floor(stats::time(datasets::EuStockMarkets)[-1]), returns), "year",
      colnames(returns)
    ),
    airquality = case(datasets::airquality, "Month", "Ozone", "Solar.R", "Wind", "Temp"),
    Orthodont = case(growth, "Sex", grep("distance", names(growth), value = TRUE)),
    epil = case(epil, "trt", names(epil)[3:6]),
    Pima = case(MASS::Pima.tr, "type", names(MASS::Pima.tr)[1:7]),
    cpus = case(cpus, NULL, names(cpus)),
    trees = case(datasets::trees, NULL, names(datasets::trees))
  )
}

held_out <- function(name, case) {
  density <- lapply(c(raw = "raw", pooled = "pooled"), function(frame) {
    fit <- suppressMessages(suppressWarnings(fit_hmvn(
      case$data, group = case$group, features = case$features, prior = hmvn_prior(frame = frame),
      chains = 1, seed = 1, progress = FALSE
    )))
    folds <- lapply(1:3, function(seed) {
      found <- suppressMessages(suppressWarnings(loo::kfold(fit, K = 10, seed = seed)))
      found$pointwise[, "elpd_kfold"]
    })
    list(rows = Reduce(`+`, folds) / 3, fit = fit)
  })
  n <- length(density$raw$rows)
  difference <- density$pooled$rows - density$raw$rows
  S <- within_covariance(case)
  r <- stats::cov2cor(S)[lower.tri(S)]
  data.frame(
    data = name, groups = length(density$raw$fit$statistics$labels), rows = n,
    features = length(case$features), correlation = sqrt(mean(r^2)),
    raw = sum(density$raw$rows), pooled = sum(density$pooled$rows), difference = sum(difference),
    error = sqrt(n) * stats::sd(difference)
  )
}

# Of the complete rows.
within_covariance <- function(case) {
  rows <- case$data[stats::complete.cases(case$data[case$features]), ]
  by <- if (is.null(case$group)) rep(1, nrow(rows)) else rows[[case$group]]
  centred <- lapply(rows[case$features], function(x) x - stats::ave(x, by))
  stats::cov(as.data.frame(centred))
}

if (sys.nframe() == 0L) {
  library(hmvn)
  here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
  cases <- held_out_cases()
  chosen <- commandArgs(TRUE)
  if (length(chosen) == 0L) chosen <- names(cases)
  file <- file.path(here, "results", "frame_held_out.csv")
  rows <- lapply(chosen, function(name) {
    row <- held_out(name, cases[[name]])
    print(row, row.names = FALSE, digits = 4)
    row
  })
  result <- do.call(rbind, rows)
  number <- vapply(result, is.numeric, TRUE)
  result[number] <- lapply(result[number], signif, 5)
  if (setequal(chosen, names(cases))) utils::write.csv(result, file, row.names = FALSE)
}
