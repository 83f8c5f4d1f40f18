# Do the Stan programs that hmvn is measured against have its posterior? Their log densities against
# hmvn's at random points, up to a constant and with the Jacobians of their parameters:
#   Rscript inst/benchmarks/check_stan.R [case ...]
# Needs rstan as against_stan.R does.

n_points <- 100

cases <- function() {
  case <- function(program, problem) list(program = program, problem = problem)
  list(
    direct = case(
      "unpooled_direct", new_problem(simulate_groups(3, 3, 12), mean_scale = 1.3, sd_rate = 0.7)
    ),
    expert = case(
      "unpooled_expert", new_problem(simulate_groups(3, 4, 12), mean_location = 0.4, eta = 1.3)
    ),
    partial = case(
      "partial_expert", like_stan(new_problem(simulate_related(4, 4, 15, 0.6), "partial"))
    ),
    partial_uneven = case("partial_expert", benchmark_problem("schools_partial")),
    frame = case("unpooled_expert", benchmark_problem("frame_crabs")),
    frame_partial = case("partial_expert", benchmark_problem("frame_iris_partial")),
    frame_partial_uneven = case("partial_expert", benchmark_problem("frame_schools_partial"))
  )
}

# in a process with hmvn ----------------------------------------------------

# Random points in the user's terms, with hmvn's log likelihood and log prior, and the frame's root
points_of <- function(case) {
  library(hmvn)
  problem <- cases()[[case]]$problem
  timed <- quietly(time_call(
    problem, iter_warmup = 1, iter_sampling = 1, chains = 1, seed = 1, algorithm = "nuts"
  ))
  fit <- timed$fit
  model <- hmvn:::specify_model(fit$statistics, fit$prior_given, fit$pooling, NULL)
  core <- hmvn:::as_core(model)
  G <- length(fit$statistics$labels)
  set.seed(3)
  dimension <- hmvn:::inspect_layout_(G, core)$dimension
  positions <- matrix(rnorm(n_points * dimension), ncol = n_points)
  list(
    draws = hmvn:::inspect_draws_(fit$statistics$patterns, G, core, positions, 3),
    root = fit$prior$frame$root
  )
}

# in a process with rstan ---------------------------------------------------

compare <- function(case, found) {
  given <- cases()[[case]]
  points <- found$draws
  given$problem$root <- found$root
  data <- stan_data(given$problem, given$program)
  with_stan({
    program <- stan_program(given$program)
    fit <- suppressMessages(rstan::sampling(program$model, data = data, chains = 0))
    differences <- vapply(points, function(point) {
      translated <- translate(point, data, given)
      position <- rstan::unconstrain_pars(fit, translated$parameters)
      rstan::log_prob(fit, position, adjust_transform = FALSE) - translated$log_density
    }, double(1))
  })
  values <- vapply(points, function(point) point$log_likelihood + point$log_prior, double(1))
  data.frame(
    case = case, program = given$program, points = length(points), sd_of_values = sd(values),
    largest_difference = max(abs(differences - median(differences)) / pmax(1, abs(values)))
  )
}

# hmvn's point as parameters of the Stan program, and its log density with respect to these
translate <- function(point, data, given) {
  G <- data$G
  A <- lapply(seq_len(G), function(g) into_frame(unpack(point$chol[, g]), data))
  sigma <- vapply(A, function(x) sqrt(rowSums(x^2)), double(data$K))
  L <- Map(function(x, g) x / sigma[, g], A, seq_len(G))
  log_density <- point$log_likelihood + point$log_prior
  if (given$program == "unpooled_direct") {
    cube <- aperm(array(unlist(L), c(data$K, data$K, G)), c(3, 1, 2))
    parameters <- list(mu = t(point$mean), sigma = t(sigma), L = cube)
    return(list(parameters = parameters, log_density = log_density))
  }
  z <- vapply(seq_len(G), function(g) {
    away <- solve(data$frame, point$mean[, g] - data$ybar[, g])
    forwardsolve(A[[g]], away) * sqrt(data$n[g])
  }, double(data$K))
  log_density <- log_density + sum(log(vapply(A, function(x) prod(diag(x)), 1))) # d mu / d z
  c <- vapply(L, partials_of_factor, double(data$K * (data$K - 1) / 2))
  # from L to atanh(c): the LKJ density divided by that of independent partial correlations
  power <- data$K - seq_len(data$K)[-1] + 2 * data$eta - 2
  lkj <- sum(vapply(L, function(x) sum(power * log(diag(x)[-1])), 1))
  b <- data$eta + (data$K - 1 - column_of(data$K)) / 2
  to_atanh <- sum(b * log1p(-c^2)) - lkj
  if (given$program == "unpooled_expert") {
    parameters <- list(z = z, sigma = sigma, w = atanh(c))
    return(list(parameters = parameters, log_density = log_density + to_atanh))
  }
  translate_partial(point, data, list(z = z, sigma = sigma, c = c), log_density - lkj)
}

# The factor of Sigma's counterpart in the frame, from a factor of Sigma
into_frame <- function(A, data) {
  if (identical(data$framed, 1L)) t(chol(tcrossprod(solve(data$frame, A)))) else A
}

# Scores in place of standard deviations and partial correlations: in a group they are standard
# normal under the prior. The population's scores are integrated out: divided by their density given
# the groups' scores.
translate_partial <- function(point, data, values, log_density) {
  K <- data$K
  b <- data$eta + (K - 1 - column_of(K)) / 2
  score_cor <- function(c) {
    matrix(sign(c) * -qnorm(pbeta((1 - abs(c)) / 2, b, b, log.p = TRUE), log.p = TRUE), length(b))
  }
  score_sd <- function(sigma) matrix(-qnorm(-data$sd_rate * sigma, log.p = TRUE), K)
  u_mean <- (point$mean - data$mean_location) / data$mean_scale
  u_sd <- score_sd(values$sigma)
  u_cor <- score_cor(values$c)
  log_density <- log_density + sum(dnorm(u_sd, log = TRUE)) -
    sum(dexp(values$sigma, data$sd_rate, log = TRUE)) + sum(dnorm(u_cor, log = TRUE))
  h_cor <- rep(point$h_cor, length(b))
  v_mean <- (point$mean0 - data$mean_location) / data$mean_scale
  A0 <- into_frame(point$scale0 * unpack(point$chol_cor0), data)
  sigma0 <- sqrt(rowSums(A0^2))
  v_cor <- score_cor(partials_of_factor(A0 / sigma0))
  log_density <- log_density - population_log_density(v_mean, u_mean, point$h_mean) -
    population_log_density(score_sd(sigma0), u_sd, point$h_sd) -
    population_log_density(v_cor, u_cor, h_cor) +
    uncentring_jacobian(point$h_sd, data$centred_sd, data$G) +
    uncentring_jacobian(h_cor, data$centred_cor, data$G)
  parameters <- list(
    z = values$z, x_sd = uncentre(u_sd, point$h_sd, data$centred_sd),
    x_cor = uncentre(u_cor, h_cor, data$centred_cor)
  )
  list(parameters = c(parameters, point[c("h_mean", "h_sd", "h_cor")]), log_density = log_density)
}

# log density of the population's scores u0 = v / sqrt(1 - h^2), one a row of u, given those of the
# groups
population_log_density <- function(v, u, h) {
  common <- h^2 + ncol(u) * (1 - h^2)
  sd <- h * sqrt((1 - h^2) / common)
  sum(dnorm(v, (1 - h^2) * rowSums(u) / common, sd, log = TRUE) + 0.5 * log(1 - h^2))
}

uncentre <- function(u, h, centred) {
  common <- h^2 + ncol(u) * (1 - h^2)
  middle <- rowMeans(u)
  x <- (u - middle) / h + middle / sqrt(common)
  x[centred == 1, ] <- u[centred == 1, ]
  x
}

uncentring_jacobian <- function(h, centred, G) {
  sum(((G - 1) * log(h) + 0.5 * log(h^2 + G * (1 - h^2)))[centred == 0])
}

unpack <- function(packed) {
  K <- (sqrt(8 * length(packed) + 1) - 1) / 2
  upper <- matrix(0, K, K)
  upper[upper.tri(upper, diag = TRUE)] <- packed
  t(upper)
}

# Columns of the entries below the diagonal, row by row
column_of <- function(K) unlist(lapply(seq_len(K)[-1], function(i) seq_len(i - 1)))

# ---------------------------------------------------------------------------

main <- function(chosen) {
  if (length(chosen) == 0) chosen <- names(cases())
  found <- lapply(chosen, function(case) {
    points <- tempfile(fileext = ".rds")
    saveRDS(run_worker("points", case), points)
    run_worker("compare", case, points)
  })
  print(do.call(rbind, found), digits = 3)
}

folder <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)[1]))
for (file in c("problems.R", "stan_programs.R")) source(file.path(folder, file))
options(width = 150)
job <- option_given("job", "")
given <- arguments_given()
switch(job,
  points = saveRDS(points_of(given[2]), given[1]),
  compare = saveRDS(compare(given[2], readRDS(given[3])), given[1]),
  main(given)
)
