# Targets and settings of inspect_*_() for the tests of mcmc/, and what samplers must do in plain R.

normal_target <- function(mean, covariance) {
  covariance <- as.matrix(covariance)
  list(name = "normal", mean = mean, precision = solve(covariance), covariance = covariance)
}
funnel_target <- function(sd = 1.5) list(name = "funnel", sd = sd)
cliff_target <- function(wall) list(name = "cliff", wall = wall)

# Neighbours are correlated by 0.8, and standard deviations range over three powers of ten.
bad_normal <- function(n) {
  sd <- if (n == 1) 20 else 10^seq(1.5, -1.5, length.out = n)
  normal_target(seq_len(n) * sd, outer(sd, sd) * 0.8^abs(outer(seq_len(n), seq_len(n), `-`)))
}

# `n` independent draws of a target, one column each.
exact_draws <- function(target, size, n) {
  z <- matrix(rnorm(size * n), size)
  if (target$name == "normal") return(target$mean + t(chol(target$covariance)) %*% z)
  v <- target$sd * z[1, ]
  widths <- rep(exp(v / 2), each = size - 1)
  rbind(v, z[-1, , drop = FALSE] * widths, deparse.level = 0)
}

# What exact_draws() makes draws from: independent standard normals.
to_scores <- function(target, draws) {
  if (target$name == "normal") {
    return(forwardsolve(t(chol(target$covariance)), draws - target$mean))
  }
  widths <- rep(exp(draws[1, ] / 2), each = nrow(draws) - 1)
  rbind(draws[1, ] / target$sd, draws[-1, , drop = FALSE] / widths)
}

plain_target <- function(target) {
  switch(target$name,
    normal = list(
      log_density = function(x) {
        -0.5 * sum((x - target$mean) * target$precision %*% (x - target$mean))
      },
      gradient = function(x) as.vector(target$precision %*% (target$mean - x))
    ),
    funnel = list(
      log_density = function(x) {
        v <- x[1]
        -0.5 * (v / target$sd)^2 - 0.5 * sum(x[-1]^2) * exp(-v) - (length(x) - 1) * v / 2
      },
      gradient = function(x) {
        v <- x[1]
        of_v <- -v / target$sd^2 + 0.5 * sum(x[-1]^2) * exp(-v) - (length(x) - 1) / 2
        c(of_v, -x[-1] * exp(-v))
      }
    ),
    cliff = list(
      log_density = function(x) if (x[1] < target$wall) -0.5 * sum(x^2) else -Inf,
      gradient = function(x) -x
    )
  )
}

mover_settings <- function(mover, ...) {
  defaults <- list(
    mover = mover, max_tree_depth = 10L, least_steps = 2L, refined_share = 0,
    max_energy_error = 1000,
    metric = "diagonal", step_size = 1, iter_warmup = 1000L, warmup_by_data = FALSE,
    target_accept = 0.8
  )
  utils::modifyList(defaults, list(...))
}

transitions <- function(target, settings, starts, seed = 1) {
  result <- inspect_transitions_(target, settings, starts, seed)
  result$facts <- as.data.frame(result$facts)
  result
}

chain <- function(target, settings, start, iter_sampling, seed = 1, number = 0L) {
  result <- inspect_chain_(target, settings, start, iter_sampling, seed, number)
  result$facts <- as.data.frame(result$facts)
  result$sampling <- settings$iter_warmup + seq_len(iter_sampling)
  result
}

holm <- function(p) min(p.adjust(p, "holm"))

leapfrog <- function(target, z, step) {
  p <- z$p + step / 2 * target$gradient(z$x)
  x <- z$x + step * p
  list(x = x, p = p + step / 2 * target$gradient(x))
}

energy_of <- function(target, z) {
  energy <- sum(z$p^2) / 2 - target$log_density(z$x)
  if (is.nan(energy)) Inf else energy
}

# The generalised criterion of a trajectory and across its halves; momenta are columns in time order
turns_round <- function(early, late) {
  turned <- function(p) {
    along <- colSums(p * rowSums(p))
    along[1] <= 0 || along[ncol(p)] <= 0
  }
  turned(cbind(early, late)) || turned(cbind(early, late[, 1])) ||
    turned(cbind(early[, ncol(early)], late))
}

log_sum_exp <- function(x) max(x) + log(sum(exp(x - max(x))))

# The momentum with which a leapfrog step led from `start` to `end`.
momentum_between <- function(target, start, end, step) {
  (end - start) / step - step / 2 * target$gradient(start)
}

# What one transition of NUTS had to do that evaluated the target at the columns of `path`: these
# tell its momentum (up to the direction of time) and the direction of every doubling.
# `probability`: of ending at each of `points`, in order of creation (biased progressive sampling).
plain_nuts <- function(target, start, path, step, max_tree_depth, max_energy_error) {
  first <- list(x = start, p = momentum_between(target, start, path[, 1], step))
  ends <- list(backward = first, forward = first)
  points <- cbind(start, deparse.level = 0)
  momenta <- cbind(first$p, deparse.level = 0) # of the whole, in time order
  energy <- energy_of(target, first)
  log_weight <- 0
  probability <- 1
  accept <- double()
  depth <- 0
  outcome <- "grown"
  while (depth < max_tree_depth && outcome == "grown") {
    near <- function(side) {
      sign <- if (side == "forward") 1 else -1
      sum((leapfrog(target, ends[[side]], sign * step)$x - path[, length(accept) + 1])^2)
    }
    forward <- near("forward") <= near("backward")
    side <- if (forward) "forward" else "backward"
    in_time <- function(p) if (forward) p else p[, rev(seq_len(ncol(p))), drop = FALSE]
    new_momenta <- NULL
    changes <- double()
    while (length(changes) < 2^depth && outcome == "grown") {
      ends[[side]] <- leapfrog(target, ends[[side]], if (forward) step else -step)
      points <- cbind(points, ends[[side]]$x)
      new_momenta <- cbind(new_momenta, ends[[side]]$p)
      changes <- c(changes, energy - energy_of(target, ends[[side]]))
      k <- length(changes)
      accept <- c(accept, min(1, exp(changes[k])))
      if (changes[k] < -max_energy_error) outcome <- "diverged"
      size <- 2
      while (outcome == "grown" && size <= k && k %% size == 0) {
        first_half <- new_momenta[, k - size + seq_len(size / 2), drop = FALSE]
        second_half <- new_momenta[, k - size / 2 + seq_len(size / 2), drop = FALSE]
        turned <- if (forward) {
          turns_round(first_half, second_half)
        } else {
          turns_round(in_time(second_half), in_time(first_half))
        }
        if (turned) outcome <- "turned"
        size <- 2 * size
      }
    }
    if (outcome != "grown") {
      probability <- c(probability, rep(0, length(changes)))
      break
    }
    log_sum <- log_sum_exp(changes)
    moves <- min(1, exp(log_sum - log_weight))
    probability <- c(probability * (1 - moves), moves * exp(changes - log_sum))
    log_weight <- log_sum_exp(c(log_weight, log_sum))
    turned <- if (forward) {
      turns_round(momenta, new_momenta)
    } else {
      turns_round(in_time(new_momenta), momenta)
    }
    momenta <- if (forward) cbind(momenta, new_momenta) else cbind(in_time(new_momenta), momenta)
    if (turned) outcome <- "turned"
    depth <- depth + 1
  }
  list(
    n_leapfrog = length(accept), tree_depth = depth, outcome = outcome,
    accept_stat = mean(accept), points = points, probability = probability
  )
}

# (6) of Hoffman and Gelman (2014): step sizes, tried and averaged, after each acceptance statistic.
plain_dual_averaging <- function(accept_stats, start, target_accept, largest = Inf) {
  gamma <- 0.05
  t0 <- 10
  kappa <- 0.75
  mu <- log(10 * start)
  tried <- averaged <- double(length(accept_stats))
  H <- 0
  log_averaged <- 0
  for (t in seq_along(accept_stats)) {
    H <- (1 - 1 / (t + t0)) * H + (target_accept - accept_stats[t]) / (t + t0)
    log_step <- min(mu - sqrt(t) / gamma * H, log(largest))
    log_averaged <- t^-kappa * log_step + (1 - t^-kappa) * log_averaged
    tried[t] <- exp(log_step)
    averaged[t] <- exp(log_averaged)
  }
  cbind(tried, averaged, deparse.level = 0)
}
