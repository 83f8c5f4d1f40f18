# The same questions to other programs, on real data: do the answers agree?
#
#   Rscript outside.R [case ...]
#
# One row a number is saved in results/outside.csv: theirs, ours (posterior mean and sd, default
# priors but where said) and the difference in posterior sds. Theirs are (restricted) maximum
# likelihood estimates: with wide priors a posterior mean lies within a fraction of a posterior sd
# of them, less for variances between few groups, whose posteriors are skewed. Needs nlme, psych,
# lavaan, metafor.

quiet_fit <- function(...) {
  suppressMessages(suppressWarnings(hmvn::fit_hmvn(..., seed = 1, progress = FALSE)))
}

# `theirs`: named numbers; `ours`: an rvar of as many in the same order.
rows_of <- function(case, program, theirs, ours) {
  # draws [draw, number]; an rvar's own order is that of an array
  draws <- posterior::draws_of(ours)
  draws <- matrix(draws, nrow(draws))
  data.frame(
    case, program, quantity = names(theirs), theirs = unname(theirs), ours = colMeans(draws),
    sd = apply(draws, 2, stats::sd), row.names = NULL
  )
}

below <- function(m) m[lower.tri(m)]

# Correlations within groups, by school: psych's statsBy() takes the groups' means off.
within_statsby <- function() {
  rows <- as.data.frame(nlme::MathAchieve)[c("School", "SES", "MathAch")]
  rows$School <- as.integer(as.character(rows$School))
  theirs <- psych::statsBy(rows, "School")
  fit <- quiet_fit(
    rows, ~School, ~ SES + MathAch, iter_sampling = 2000,
    pooling = c(mean = "partial", sd = "complete", cor = "complete")
  )
  within <- posterior::as_draws_rvars(fit)$Omega0[2, 1]
  between <- posterior::as_draws_rvars(fit)$Omega_between[2, 1]
  rbind(
    rows_of("within and between", "psych::statsBy", c(within = theirs$rwg[2, 1]), within),
    # means of schools, with their sampling error, which ours are without
    rows_of(
      "within and between", "psych::statsBy (means of schools)", c(between = theirs$rbg[2, 1]),
      between
    )
  )
}

# The multivariate mixed model with one covariance matrix within and one between groups.
mixed_lme <- function() {
  rows <- as.data.frame(nlme::MathAchieve)[c("School", "SES", "MathAch")]
  rows <- rows[rows$School %in% levels(factor(rows$School))[1:40], ]
  rows$School <- factor(as.character(rows$School))
  rows$row <- factor(seq_len(nrow(rows)))
  long <- data.frame(
    School = rep(rows$School, 2), row = rep(rows$row, 2),
    trait = factor(rep(c("SES", "MathAch"), each = nrow(rows)), c("SES", "MathAch")),
    y = c(rows$SES, rows$MathAch)
  )
  long <- long[order(long$School, long$row, long$trait), ]
  theirs <- nlme::lme(
    y ~ 0 + trait, random = ~ 0 + trait | School, data = long,
    correlation = nlme::corSymm(form = ~ 1 | School / row),
    weights = nlme::varIdent(form = ~ 1 | trait),
    control = nlme::lmeControl(opt = "optim", maxIter = 200, msMaxIter = 200)
  )
  between <- nlme::getVarCov(theirs)
  within <- theirs$sigma * c(1, stats::coef(theirs$modelStruct$varStruct, unconstrained = FALSE))
  r <- stats::coef(theirs$modelStruct$corStruct, unconstrained = FALSE)
  estimates <- c(
    stats::setNames(nlme::fixef(theirs), c("mean SES", "mean MathAch")),
    "sd between SES" = sqrt(between[1, 1]), "sd between MathAch" = sqrt(between[2, 2]),
    "correlation between" = stats::cov2cor(unclass(between))[2, 1],
    "sd within SES" = within[[1]], "sd within MathAch" = within[[2]],
    "correlation within" = r[[1]]
  )
  fit <- quiet_fit(
    rows, ~School, ~ SES + MathAch, iter_sampling = 2000,
    pooling = c(mean = "partial", sd = "complete", cor = "complete")
  )
  x <- posterior::as_draws_rvars(fit)
  ours <- c(x$mu0, x$tau, x$Omega_between[2, 1], x$sigma0, x$Omega0[2, 1])
  rows_of("mixed model of two traits", "nlme::lme", estimates, ours)
}

# Repeated measures: means by sex and visit, an unstructured covariance matrix for all.
repeated_gls <- function() {
  long <- as.data.frame(nlme::Orthodont)
  long$visit <- factor(long$age)
  theirs <- nlme::gls(
    distance ~ 0 + Sex:visit, long, correlation = nlme::corSymm(form = ~ 1 | Subject),
    weights = nlme::varIdent(form = ~ 1 | visit)
  )
  wide <- stats::reshape(
    long[c("Subject", "Sex", "age", "distance")], direction = "wide", v.names = "distance",
    timevar = "age", idvar = c("Subject", "Sex")
  )
  fit <- quiet_fit(
    wide, ~Sex, ~ distance.8 + distance.10 + distance.12 + distance.14,
    pooling = c(sd = "complete", cor = "complete"), iter_sampling = 4000
  )
  means <- stats::coef(theirs)
  names(means) <- sub("Sex(.*):visit(.*)", "mean \\1 \\2", names(means))
  sds <- theirs$sigma *
    c(1, stats::coef(theirs$modelStruct$varStruct, unconstrained = FALSE))
  names(sds) <- paste("sd", c(8, 10, 12, 14))
  r <- stats::coef(theirs$modelStruct$corStruct, unconstrained = FALSE)
  names(r) <- paste("correlation", seq_along(r))
  x <- posterior::as_draws_rvars(fit)
  mean <- x$mu
  # theirs run over sexes first
  ours <- c(as.vector(mean), x$sigma0, below(x$Omega0))
  rows_of("repeated measures", "nlme::gls", c(means, sds, r), ours)
}

# Slopes of each group's own: a regression of every feature.
slopes_lm <- function() {
  fit <- quiet_fit(
    datasets::iris, ~Species, ~ Sepal.Length + Sepal.Width,
    covariates = ~ Petal.Length + Petal.Width, iter_sampling = 4000,
    # setosa's means at average petals are far from its rows
    prior = hmvn::hmvn_prior(
      mean = distributional::dist_normal(0, 100), slope = distributional::dist_normal(0, 100)
    )
  )
  do.call(rbind, lapply(levels(datasets::iris$Species), function(s) {
    theirs <- stats::coef(stats::lm(
      cbind(Sepal.Length, Sepal.Width) ~ Petal.Length + Petal.Width, datasets::iris,
      subset = Species == s
    ))[-1, ]
    names <- outer(rownames(theirs), colnames(theirs), function(x, y) paste(s, x, "on", y))
    slopes <- group_slope(fit)[s, , , drop = TRUE]
    rows_of("slopes", "lm", stats::setNames(c(theirs), c(names)), slopes)
  }))
}

# The multivariate random-effects meta-analysis of Berkey et al. (1998).
meta_analysis <- function() {
  dat <- data.frame( # as printed there
    trial = rep(1:5, each = 2), outcome = rep(c("PD", "AL"), 5),
    yi = c(0.47, -0.32, 0.20, -0.60, 0.40, -0.12, 0.26, -0.31, 0.56, -0.39),
    v1i = c(
      0.0075, 0.0030, 0.0057, 0.0009, 0.0021, 0.0007, 0.0029, 0.0009, 0.0148, 0.0072
    ),
    v2i = c(
      0.0030, 0.0077, 0.0009, 0.0008, 0.0007, 0.0014, 0.0009, 0.0015, 0.0072, 0.0304
    )
  )
  V <- metafor::bldiag(lapply(
    split(dat[c("v1i", "v2i")], factor(dat$trial, unique(dat$trial))), as.matrix
  ))
  theirs <- metafor::rma.mv(
    yi, V, mods = ~ outcome - 1, random = ~ outcome | trial, struct = "UN", data = dat
  )
  outcomes <- c("AL", "PD")
  estimates <- c(
    stats::setNames(as.vector(theirs$beta), paste("mean", outcomes)),
    stats::setNames(sqrt(theirs$tau2), paste("tau", outcomes)), correlation = theirs$rho
  )
  y <- do.call(rbind, lapply(split(dat, dat$trial), function(d) {
    stats::setNames(d$yi, as.character(d$outcome))[outcomes]
  }))
  cov <- lapply(split(dat, dat$trial), function(d) {
    m <- as.matrix(d[c("v1i", "v2i")])
    dimnames(m) <- rep(list(as.character(d$outcome)), 2)
    m[outcomes, outcomes]
  })
  fit <- quiet_fit(
    hmvn::hmvn_statistics_from(mean = y, cov = cov, known = TRUE), pooling = c(mean = "partial"),
    prior = hmvn::hmvn_prior(mean = distributional::dist_normal(0, 1)), iter_sampling = 4000
  )
  x <- posterior::as_draws_rvars(fit)
  rows_of(
    "meta-analysis", "metafor::rma.mv", estimates, c(x$mu0, x$tau, x$Omega_between[2, 1])
  )
}

# Cells missing at random, by school.
missing_lavaan <- function() {
  features <- paste0("x", 1:6)
  rows <- lavaan::HolzingerSwineford1939[c("school", features)]
  set.seed(1)
  for (x in features) rows[[x]][stats::runif(nrow(rows)) < 0.2] <- NA
  fit <- quiet_fit(rows, ~school, features)
  do.call(rbind, lapply(unique(as.character(rows$school)), function(s) {
    own <- rows[rows$school == s, features]
    theirs <- lavaan::lavCor(own, missing = "fiml", output = "fit", se = "none")
    moments <- lavaan::lavInspect(theirs, "est")
    # maximum likelihood divides by n
    sds <- sqrt(diag(moments$theta) * nrow(own) / (nrow(own) - 1))
    r <- below(stats::cov2cor(unclass(moments$theta)))
    names(r) <- paste(s, "correlation", seq_along(r))
    rbind(
      rows_of(
        "missing cells", "lavaan, FIML",
        stats::setNames(c(moments$nu), paste(s, "mean", features)),
        group_mean(fit)[s, , drop = TRUE]
      ),
      rows_of(
        "missing cells", "lavaan, FIML", stats::setNames(sds, paste(s, "sd", features)),
        group_sd(fit)[s, , drop = TRUE]
      ),
      rows_of("missing cells", "lavaan, FIML", r, below(group_cor(fit)[s, , , drop = TRUE]))
    )
  }))
}

if (sys.nframe() == 0L) {
  library(hmvn)
  here <- dirname(sub("--file=", "", grep("--file=", commandArgs(), value = TRUE)))
  cases <- list(
    within_statsby = within_statsby, mixed_lme = mixed_lme, repeated_gls = repeated_gls,
    slopes_lm = slopes_lm, meta_analysis = meta_analysis, missing_lavaan = missing_lavaan
  )
  chosen <- if (length(commandArgs(TRUE))) commandArgs(TRUE) else names(cases)
  result <- do.call(rbind, unname(lapply(cases[chosen], function(f) f())))
  result$difference <- (result$ours - result$theirs) / result$sd
  number <- vapply(result, is.numeric, TRUE)
  result[number] <- lapply(result[number], signif, 5)
  print(result, row.names = FALSE, digits = 3)
  if (setequal(chosen, names(cases))) {
    utils::write.csv(result, file.path(here, "results", "outside.csv"), row.names = FALSE)
  }
}
