# A fit as far as stancode() and standata() look at it, without sampling.
unsampled_fit <- function(data = iris[c(1:5, 51:56, 101:110), ], group = "Species",
                          pooling = "none", prior = hmvn_prior(frame = "raw"), weights = NULL,
                          prior_only = FALSE) {
  statistics <- quietly(hmvn_statistics(data, group, weights = weights))
  fake_fit_of(statistics, prior, pooling, list(iter_sampling = 1, prior_only = prior_only))
}

with_missing <- function() {
  data <- iris[c(1:5, 51:56, 101:110), ]
  data$Sepal.Width[2] <- NA
  data[6:11, 1:4] <- NA
  data
}

five_families <- function() {
  positive <- function(d) distributional::dist_truncated(d, 0, Inf)
  c(
    distributional::dist_exponential(1), positive(distributional::dist_normal(1, 2)),
    distributional::dist_student_t(3, 0, 1),
    distributional::dist_gamma(2, 1), distributional::dist_lognormal(0, 1)
  )
}

program_block <- function(code, name) {
  lines <- strsplit(code, "\n", fixed = TRUE)[[1]]
  start <- match(paste(name, "{"), lines)
  if (is.na(start)) {
    return(character())
  }
  end <- start + match("}", lines[-seq_len(start)])
  sub(" *//.*", "", lines[seq(start + 1, length.out = end - start - 1)])
}

# Names declared in a block, not in the loops within: the last word before ; or =.
declared <- function(code, block) {
  lines <- program_block(code, block)
  lines <- trimws(lines[!startsWith(lines, "   ")])
  lines <- lines[grepl("^(int|real|vector|matrix|array|cholesky_factor_corr)", lines)]
  sub(".* ([A-Za-z0-9_]+)( = .*)?;$", "\\1", sub(" = .*", ";", lines))
}

test_that("the program declares as data what standata() gives, in all 27 combinations", {
  prior <- hmvn_prior(sd = five_families()[c(1, 4, 5, 2)], heterogeneity = list(sd = 0.3))
  poolings <- all_poolings(pooling_levels)
  expect_length(poolings, 27)
  for (data in list(iris, with_missing())) {
    for (pooling in poolings) {
      fit <- unsampled_fit(data, pooling = pooling, prior = prior)
      expect_setequal(declared(stancode(fit), "data"), names(standata(fit)))
    }
  }
})

test_that("the program has the parameters and quantities of its pooling and no others", {
  own <- c(mean = "mu", sd = "sigma", cor = "L")
  common <- c(mean = "mu0", sd = "sigma0", cor = "L0")
  for (pooling in all_poolings(pooling_levels)) {
    code <- stancode(unsampled_fit(pooling = pooling))
    partial <- names(pooling)[pooling == "partial"]
    expected <- c(
      own[pooling != "complete"], common[pooling == "complete"],
      paste0(rep(c("u0_", "h_"), each = length(partial)), rep(partial, 2)),
      if (pooling[["mean"]] == "partial") "L_between"
    )
    expect_setequal(declared(code, "parameters"), expected)
    everywhere <- unlist(
      lapply(
        c("parameters", "transformed parameters", "generated quantities"), declared, code = code
      )
    )
    expect_identical(anyDuplicated(everywhere), 0L)
    expect_true(all(c("mu", "sigma", "L", "Omega", "Sigma", "lprior", "log_joint") %in% everywhere))
    expect_identical(
      c("mu0", "tau") %in% everywhere,
      c(pooling[["mean"]] != "none", pooling[["mean"]] == "partial")
    )
    expect_identical("sigma0" %in% everywhere, pooling[["sd"]] != "none")
    expect_identical("Omega0" %in% everywhere, pooling[["cor"]] != "none")
    expect_identical("Sigma0" %in% everywhere, all(pooling[c("sd", "cor")] != "none"))
    expect_identical(
      any(grepl("_score(", code, fixed = TRUE)), any(pooling[c("sd", "cor")] == "partial")
    )
  }
})

test_that("programs in a frame declare what standata() gives, and the features' own quantities", {
  for (pooling in all_poolings(pooling_levels)) {
    fit <- unsampled_fit(pooling = pooling, prior = hmvn_prior(frame = "pooled"))
    code <- stancode(fit)
    expect_setequal(declared(code, "data"), names(standata(fit)))
    expect_true(all(c("Sigma", "sigma", "Omega") %in% declared(code, "generated quantities")))
    own <- c(sigma = pooling[["sd"]], L = pooling[["cor"]]) != "complete"
    expect_setequal(
      grep("_frame", declared(code, "parameters"), value = TRUE),
      paste0(c("sigma", "L"), ifelse(own, "", "0"), "_frame")
    )
    derived <- declared(code, "generated quantities")
    expect_identical("sigma0" %in% derived, pooling[["sd"]] != "none")
    expect_identical("Omega0" %in% derived, pooling[["cor"]] != "none")
    expect_identical("Sigma0" %in% derived, all(pooling[c("sd", "cor")] != "none"))
  }
  one <- unsampled_fit(
    data.frame(g = rep(1:3, each = 4), x = cos(1:12)), "g", "partial",
    hmvn_prior(frame = "pooled")
  )
  expect_match(stancode(one), "tcrossprod(frame * diag_matrix(sigma_frame[g]))", fixed = TRUE)
})

test_that("programs of coefficients pooled by feature have the common ones once", {
  pooling <- list(
    mean = c(Sepal.Length = "complete", Sepal.Width = "none", "partial"), sd = "complete"
  )
  fit <- unsampled_fit(pooling = pooling)
  code <- stancode(fit)
  values <- standata(fit)
  expect_setequal(declared(code, "data"), names(values))
  expect_identical(as.vector(values$mean_own), 2:4)
  expect_identical(as.vector(values$mean_partial), 3:4)
  expect_true(all(c("mu_complete", "mu_own", "u0_mean") %in% declared(code, "parameters")))
  expect_match(code, "cholesky_factor_corr[2] L_between;", fixed = TRUE)
  expect_match(code, "vector<lower=0, upper=1>[2] h_mean;", fixed = TRUE)
})

test_that("programs of estimates with known covariances have means alone", {
  y <- rbind(a = c(x = 1, y = 2), b = c(0, 1), c = c(2, NA))
  V <- list(diag(2), diag(2) + 0.5, matrix(c(1, NA, NA, NA), 2))
  s <- hmvn_statistics_from(mean = y, cov = V, known = TRUE)
  fit <- fake_fit_of(s, hmvn_prior(), c(mean = "partial"), list(iter_sampling = 1))
  code <- stancode(fit)
  expect_setequal(declared(code, "data"), names(standata(fit)))
  expect_setequal(declared(code, "parameters"), c("u0_mean", "mu", "L_between", "h_mean"))
  expect_match(code, "multi_normal_lpdf(ybar[p][o] | mu[group[p]][o], V[p][o, o])", fixed = TRUE)
  expect_equal(unname(standata(fit)$V[2, , ]), unname(V[[2]]))
})

test_that("only the families that occur are written, each for its features", {
  code <- stancode(
    unsampled_fit(pooling = "partial", prior = hmvn_prior(sd = distributional::dist_gamma(2, 1)))
  )
  expect_match(
    code, "lprior += gamma_lpdf(sigma[g] | sd_gamma_shape, sd_gamma_rate);", fixed = TRUE
  )
  expect_false(grepl("exponential|lognormal|student_t", code))

  data <- data.frame(g = rep(1:2, each = 8), matrix(sin(1:80), 16))
  fit <- unsampled_fit(data, "g", "partial", hmvn_prior(sd = five_families()[c(2, 1, 2, 3, 5)]))
  expect_match(
    stancode(fit),
    "u[sd_normal] = normal_score(sigma[g][sd_normal], sd_normal_location, sd_normal_scale);",
    fixed = TRUE
  )
  values <- standata(fit)
  expect_identical(as.vector(values$sd_normal), c(1L, 3L))
  expect_equal(as.vector(values$sd_normal_location), c(1, 1))
  expect_identical(as.vector(values$sd_student_t), 4L)
  expect_null(values$sd_gamma)
})

test_that("a fixed heterogeneity is data, a learned one a parameter with its Beta prior", {
  prior <- hmvn_prior(
    heterogeneity = list(mean = 0.25, sd = distributional::dist_beta(2, 5), cor = 0.5),
    frame = "raw"
  )
  fit <- unsampled_fit(pooling = "partial", prior = prior)
  values <- standata(fit)
  expect_equal(as.vector(values$h_mean), rep(0.25, 4))
  expect_identical(values$h_cor, 0.5)
  expect_equal(as.vector(values$h_sd_beta), c(2, 5))
  expect_identical(grep("^h_", declared(stancode(fit), "parameters"), value = TRUE), "h_sd")
})

test_that("data are the sufficient statistics, with dimensions that Stan takes for arrays", {
  values <- standata(unsampled_fit())
  rows <- iris[51:56, 1:4]
  expect_equal(values$ybar["versicolor", ], colMeans(rows))
  expect_equal(values$S["versicolor", , ], crossprod(scale(rows, scale = FALSE)))
  expect_equal(as.vector(values$n), c(5, 6, 10))

  one <- standata(unsampled_fit(data.frame(g = "a", x = c(1, 2, 4)), "g"))
  expect_identical(dim(one$n), 1L)
  expect_identical(dim(one$ybar), c(1L, 1L))
  expect_identical(dim(one$S), c(1L, 1L, 1L))
  expect_identical(dim(one$mean_scale), 1L)
  expect_null(one$eta)

  data <- iris[1:12, ]
  data$w <- seq(0.5, 6, by = 0.5)
  expect_equal(as.vector(standata(unsampled_fit(data, weights = "w"))$n), sum(data$w))
})

test_that("patterns of missing cells are indexed, and groups without data are not", {
  fit <- unsampled_fit(with_missing(), pooling = "partial")
  values <- standata(fit)
  expect_identical(values$G, 3L)
  expect_identical(as.vector(values$group), c(1L, 1L, 3L))
  expect_identical(as.vector(values$n_observed), c(4L, 3L, 4L))
  expect_identical(unname(values$observed[2, ]), c(1L, 3L, 4L, 0L))
  expect_match(stancode(fit), "cholesky_decompose", fixed = TRUE)

  data <- with_missing()
  data$Sepal.Width[2] <- 3
  code <- stancode(unsampled_fit(data, pooling = "partial"))
  expect_match(code, "rows_lpdf(ybar[p] | n[p], S[p], mu[group[p]]", fixed = TRUE)
  expect_false(grepl("n_observed", code, fixed = TRUE))
})

test_that("with one feature there are no correlations", {
  data <- data.frame(g = rep(1:3, each = 4), x = cos(1:12))
  code <- stancode(unsampled_fit(data, "g", "partial"))
  expect_false(grepl(" eta;|cholesky_factor_corr|Omega|[ (]cor_", code))
  expect_match(code, "matrix[K, K] Sigma0 = diag_matrix(square(sigma0));", fixed = TRUE)
})

test_that("a fit to the prior alone has a program without data", {
  fit <- unsampled_fit(pooling = "partial", prior_only = TRUE)
  expect_false(grepl("rows_lpdf", stancode(fit), fixed = TRUE))
  expect_setequal(declared(stancode(fit), "data"), names(standata(fit)))
  expect_null(standata(fit)$S)
})

test_that("the program prints as text", {
  code <- stancode(unsampled_fit())
  expect_s3_class(code, "hmvn_stancode")
  expect_identical(length(code), 1L)
  expect_identical(paste0(capture.output(print(code)), "\n", collapse = ""), as.character(code))
  expect_snapshot(
    print(stancode(unsampled_fit(pooling = c(mean = "partial", sd = "partial", cor = "complete"))))
  )
})

test_that("what is no fit is refused, or passed on to brms", {
  skip_if(isNamespaceLoaded("brms"))
  expect_error(stancode(1), class = "hmvn_error_argument")
  expect_error(standata("a"), class = "hmvn_error_argument")
})

test_that("the generics of brms know our methods", {
  skip_if_not_installed("brms")
  fit <- unsampled_fit()
  brms_generic <- function(name) getExportedValue("brms", name)
  expect_identical(brms_generic("stancode")(fit), stancode(fit))
  expect_identical(brms_generic("standata")(fit), standata(fit))
})

# Made by inst/validation/stan_agreement.R.
expect_same_log_densities <- function(table) {
  expect_true(all(table$points == 200))
  expect_true(all(table$sd_ours > 1))
  expect_true(all(table$max_relative < 1e-8))
  expect_true(all(table$max_lprior < 1e-8))
  expect_true(all(table$max_mu0 < 1e-8 & table$max_log_sigma0 < 1e-8 & table$max_Omega0 < 1e-8))
}

test_that("log densities agreed with Stan's when they were last compared", {
  file <- system.file("validation", "results", "stan_agreement.csv", package = "hmvn")
  skip_if(!nzchar(file), "results are not installed")
  table <- read.csv(file)
  expect_gte(nrow(table), 6)
  expect_gte(sum(startsWith(table$case, "missing")), 2)
  expect_same_log_densities(table)
})

test_that("log densities agree with Stan's", {
  skip_on_cran()
  stan_library <- c(Sys.getenv("HMVN_STAN_LIB"), .libPaths())
  skip_if(
    !nzchar(
      system.file(package = "rstan", lib.loc = stan_library)
    ) || packageVersion("rstan", stan_library) < "2.32",
    "rstan 2.32 is not installed"
  )
  skip_if(!nzchar(system.file("validation", package = "hmvn")), "hmvn is not installed")
  output <- tempfile(fileext = ".csv")
  script <- system.file("validation", "stan_agreement.R", package = "hmvn")
  libraries <- paste0("R_LIBS=", paste(.libPaths(), collapse = .Platform$path.sep))
  status <- system2(
    file.path(R.home("bin"), "Rscript"), shQuote(c(script, output, "partial_cor")), stdout = FALSE,
    stderr = FALSE, env = libraries
  )
  expect_identical(status, 0L)
  expect_same_log_densities(read.csv(output))
})
