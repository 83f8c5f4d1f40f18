# What makes the steps of movers those of Hamiltonian Monte Carlo, on a normal and a funnel, moved
# among positions and in a standardised space.

step_cases <- function() {
  root <- matrix(c(2, 1, -0.5, 0, 1, 0.7, 0, 0, 0.5), 3)
  map <- list(mean = c(0.3, -1, 0.2), metric = "dense", covariance = tcrossprod(root))
  normal <- normal_target(c(1, -1, 0.5), matrix(c(1, 0.5, 0, 0.5, 2, 0.3, 0, 0.3, 1.5), 3))
  cases <- list()
  for (mover in c("nuts", "quarter_turn")) {
    settings <- mover_settings(mover)
    cases <- c(cases, list(
      list(target = normal, settings = settings),
      list(target = funnel_target(), settings = settings),
      list(target = funnel_target(), settings = utils::modifyList(settings, map))
    ))
  }
  cases
}

start <- c(0.4, -0.3, 0.8, -0.7, 1.1, 0.2) # standardised position, momentum
turn_about <- c(1, 1, 1, -1, -1, -1)

path_of <- function(case, step, n_steps, from = start) {
  n <- length(from) / 2
  settings <- utils::modifyList(case$settings, list(step_size = step))
  inspect_steps_(case$target, settings, from[seq_len(n)], from[n + seq_len(n)], n_steps)
}

end_of <- function(...) {
  path <- path_of(...)
  last <- ncol(path$standard)
  c(path$standard[, last], path$momentum[, last])
}

# Derivatives of the end by the start, by differences of fourth order. With steps of 1e-3, what they
# leave out is of order 1e-12, and so is rounding.
jacobian <- function(case, step, n_steps) {
  by <- 1e-3
  vapply(seq_along(start), function(i) {
    at <- function(k) end_of(case, step, n_steps, replace(start, i, start[i] + k * by))
    (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * by)
  }, double(length(start)))
}

test_that("a step of NUTS is the textbook's leapfrog", {
  for (case in step_cases()[1:2]) {
    z <- list(x = start[1:3], p = start[4:6])
    for (i in 1:3) z <- leapfrog(plain_target(case$target), z, 0.3)
    expect_equal(end_of(case, 0.3, 3), c(z$x, z$p), tolerance = 1e-13)
  }
})

test_that("steps lead back when the momentum is turned about, or time", {
  for (case in step_cases()) {
    end <- end_of(case, 0.2, 20)
    # rounding errors of 40 steps of some ten operations, spread as the flow spreads
    bound <- 40 * 10 * .Machine$double.eps * kappa(jacobian(case, 0.2, 20), exact = TRUE)
    expect_lt(max(abs(end_of(case, 0.2, 20, end * turn_about) * turn_about - start)), bound)
    expect_lt(max(abs(end_of(case, -0.2, 20, end) - start)), bound)
    expect_lt(bound, 1e-3 * max(abs(end - start)))
  }
})

test_that("steps keep volume, long ones too", {
  for (case in step_cases()) {
    for (some in list(c(0.1, 1), c(0.1, 20), c(0.9, 1))) {
      J <- jacobian(case, some[1], some[2])
      bound <- 1e-10 * length(start) * kappa(J, exact = TRUE)
      expect_lt(abs(det(J) - 1), bound)
      expect_lt(bound, 1e-3)
    }
  }
})

test_that("the energy's error is of the order of the square of the step", {
  for (case in step_cases()) {
    error <- vapply(20 * c(1, 2, 4), function(n_steps) {
      energy <- path_of(case, 1 / n_steps, n_steps)$energy
      energy[n_steps + 1] - energy[1]
    }, double(1))
    # a step^2 + b step^4 + ...: halving the step divides errors by 4 + c step^2, the next time with
    # a quarter of c step^2; half leaves room for the next order
    off <- abs(error[-3] / error[-1] - 4)
    expect_lt(off[2], off[1] / 2)
    expect_lt(off[1], 1)
  }
})

test_that("quarter turns keep the energy of a standard normal, however long the step", {
  iid <- normal_target(rep(0, 3), diag(3))
  case <- list(target = iid, settings = mover_settings("quarter_turn"))
  for (step in c(1e-3, 0.5, pi / 4, 3)) {
    path <- path_of(case, step, 50)
    energy <- path$energy[1]
    expect_lt(max(abs(path$energy - energy)), 50 * 10 * .Machine$double.eps * energy)
    # and turn by the step
    turned <- cos(50 * step) * start[1:3] + sin(50 * step) * start[4:6]
    expect_equal(path$standard[, 51], turned, tolerance = 50 * 10 * .Machine$double.eps)
  }
})

test_that("energy is kinetic and potential", {
  for (case in step_cases()[1:2]) {
    path <- path_of(case, 0.3, 5)
    energy <- vapply(1:6, function(i) {
      energy_of(plain_target(case$target), list(x = path$standard[, i], p = path$momentum[, i]))
    }, double(1))
    expect_equal(path$energy, energy, tolerance = 1e-13)
  }
})
