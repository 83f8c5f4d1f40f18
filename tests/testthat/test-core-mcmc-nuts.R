# Transitions of Nuts against the same transitions in plain R (helper-mcmc.R), which are told only
# where the target was evaluated, and find length, outcome and probabilities by themselves.

nuts_cases <- function() {
  small <- normal_target(c(1, -1), matrix(c(1, 0.6, 0.6, 2), 2))
  list(
    iid = list(normal_target(rep(0, 8), diag(8)), 8, list(step_size = 0.3)),
    `short steps` = list(small, 2, list(step_size = 0.11)),
    `long steps` = list(small, 2, list(step_size = 1.3)),
    `one dimension` = list(normal_target(0, 4), 1, list(step_size = 0.9)),
    funnel = list(funnel_target(), 3, list(step_size = 0.5)),
    shallow = list(small, 2, list(step_size = 0.05, max_tree_depth = 3L)),
    `energy may hardly change` = list(small, 2, list(step_size = 1.1, max_energy_error = 0.2)),
    cliff = list(cliff_target(0.5), 2, list(step_size = 0.2))
  )
}

run_case <- function(case, n, seed = 1) {
  set.seed(seed)
  settings <- do.call(mover_settings, c(list("nuts"), case[[3]]))
  starts <- if (case[[1]]$name == "cliff") {
    rbind(qnorm(runif(n, 0, pnorm(case[[1]]$wall))), rnorm(n))
  } else {
    exact_draws(case[[1]], case[[2]], n)
  }
  result <- transitions(case[[1]], settings, starts)
  plain <- lapply(seq_len(n), function(i) {
    plain_nuts(
      plain_target(case[[1]]), starts[, i], result$paths[[i]], settings$step_size,
      settings$max_tree_depth, settings$max_energy_error
    )
  })
  list(result = result, plain = plain, settings = settings)
}

which_end <- function(plain, end) which.min(colSums((plain$points - end)^2))

test_that("trajectories grow, turn and diverge where they should", {
  outcomes <- NULL
  for (name in names(nuts_cases())) {
    run <- run_case(nuts_cases()[[name]], 100)
    facts <- run$result$facts
    plain <- function(what, type) vapply(run$plain, `[[`, type, what)
    expect_equal(facts$n_leapfrog, plain("n_leapfrog", 1), info = name)
    expect_equal(facts$n_leapfrog, lengths(run$result$paths) / nrow(run$result$ends))
    expect_equal(facts$tree_depth, plain("tree_depth", 1), info = name)
    expect_equal(facts$divergent == 1, plain("outcome", "") == "diverged", info = name)
    # the momentum is known up to rounding of the first step over its length
    expect_equal(facts$accept_stat, plain("accept_stat", 1), tolerance = 1e-9, info = name)
    # ends are points of the trajectory, and not of an extension that turned round or diverged
    chance <- vapply(seq_along(run$plain), function(i) {
      plain <- run$plain[[i]]
      plain$probability[which_end(plain, run$result$ends[, i])]
    }, double(1))
    expect_gt(min(chance), 0)
    outcome <- factor(plain("outcome", ""), c("grown", "turned", "diverged"))
    outcomes <- rbind(outcomes, table(outcome))
  }
  rownames(outcomes) <- names(nuts_cases())
  # all three occur, and a normal's trajectories do not diverge unless energy may hardly change
  expect_true(all(colSums(outcomes > 0) > 0))
  expect_true(all(outcomes[c("energy may hardly change", "cliff"), "diverged"] > 0))
  normals <- c("iid", "short steps", "long steps", "one dimension", "shallow")
  expect_equal(sum(outcomes[normals, "diverged"]), 0)
})

test_that("ends are chosen by biased progressive sampling", {
  z <- NULL
  for (name in c("long steps", "funnel", "one dimension")) {
    run <- run_case(nuts_cases()[[name]], 1000, seed = 2)
    # functions of the end, less their expectation given the trajectory
    functions <- list(
      stays = function(p) replace(0 * p$probability, 1, 1),
      order = function(p) seq_along(p$probability) / length(p$probability),
      `second half` = function(p) {
        last <- 2^max(p$tree_depth - 1, 0)
        as.numeric(seq_along(p$probability) > last + last / 2)
      },
      density = function(p) apply(p$points, 2, plain_target(nuts_cases()[[name]][[1]])$log_density)
    )
    for (of in functions) {
      parts <- vapply(seq_along(run$plain), function(i) {
        p <- run$plain[[i]]
        h <- of(p)
        may <- p$probability > 0
        expected <- sum((p$probability * h)[may])
        variance <- sum((p$probability * (h - expected)^2)[may])
        c(h[which_end(p, run$result$ends[, i])] - expected, variance)
      }, double(2))
      z <- c(z, sum(parts[1, ]) / sqrt(sum(parts[2, ])))
    }
  }
  expect_lt(max(abs(z)), z_bound(length(z)))
})

test_that("time runs both ways equally often, whatever came before", {
  set.seed(3)
  target <- nuts_cases()[["short steps"]][[1]]
  # if forward has the chance p, both doublings go one way with p^2 + (1 - p)^2, 0.52 for p = 0.6
  starts <- exact_draws(target, 2, 20000)
  result <- transitions(target, mover_settings("nuts", step_size = 0.1), starts)
  # whether the second doubling, of two points, goes on from the first or from the start
  on <- vapply(which(result$facts$n_leapfrog > 1), function(i) {
    path <- result$paths[[i]]
    sum((path[, 2] - path[, 1])^2) < sum((path[, 2] - starts[, i])^2)
  }, logical(1))
  expect_gt(binom.test(sum(on), length(on))$p.value, 0.001)
})

test_that("a tree's depth is limited, and said to be", {
  flat <- normal_target(c(0, 0), diag(1e12, 2)) # for steps of 1
  for (depth in 1:6) {
    settings <- mover_settings("nuts", max_tree_depth = depth)
    facts <- transitions(flat, settings, cbind(c(0, 0), c(1e6, 0)))$facts
    expect_equal(facts$tree_depth, rep(depth, 2))
    expect_equal(facts$n_leapfrog, rep(2^depth - 1, 2))
    expect_equal(facts$divergent, c(0, 0))
  }
})

test_that("a target that is not a number is a divergence, and is not moved to", {
  for (beyond in c(NaN, NA, -Inf)) {
    spike <- list(name = "spike", at = c(1, 2), beyond = beyond)
    one <- transitions(spike, mover_settings("nuts"), cbind(c(1, 2)))
    expect_equal(
      unlist(one$facts[c("accept_stat", "tree_depth", "n_leapfrog", "divergent")]),
      c(accept_stat = 0, tree_depth = 0, n_leapfrog = 1, divergent = 1)
    )
    expect_equal(one$ends, cbind(c(1, 2)))
  }
})
