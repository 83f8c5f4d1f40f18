# How much of one group's distribution is also the other's.

#' Overlap of groups
#'
#' How much two groups overlap: the area that their ellipses have in common, or the probability that
#' a member of one is found within the ellipsoid of the other. An ellipse, of more features an
#' ellipsoid, holds the share `level` of its group, about the group's mean.
#'
#' * `"union"`: the area common to both ellipses as a share of the area that they cover together: 0
#'   if they are apart, 1 if they are the same. Two features.
#' * `"area"`: the common area as a share of the first group's ellipse. Two features.
#' * `"within"`: the probability that a member of the first group lies within the ellipsoid of the
#'   second (Swanson et al. 2015, \doi{10.1890/14-0235.1}). Any number of features.
#'
#' The first two count area alone, wherever members are. The last is the same in any units, and so
#' are shares of areas.
#'
#' @inheritParams group_distance
#' @param measure Which overlap, see above.
#' @param features Names of the features; `NULL` for all.
#' @param level Share of a group within its ellipse. The ellipse of one standard deviation
#'   ("standard ellipse") has `level = pchisq(1, 2)`, 0.39.
#' @return An rvar of numbers between 0 and 1: \[group\] with `to`; else \[group, group\], of the
#'   row's group (the first) with the column's. Areas are exact; with three features or more
#'   `"within"` averages over 2,048 fixed points of all directions but one, with an error of
#'   some thousandths (below 0.01 for ten features).
#' @section Errors: `hmvn_error_no_meaning` for an area where there are not two features, and for
#'   `to = "typical"` where a block is not pooled; `hmvn_error_group`, `hmvn_error_keep`,
#'   `hmvn_error_size`, `hmvn_error_argument`.
#' @seealso [compare_groups()] with `what = "overlap"` has all of them in a data frame;
#'   [group_ellipse()], [group_volume()].
#' @references Swanson, H. K. and others (2015). A new probabilistic method for quantifying
#'   n-dimensional ecological niches and niche overlap. Ecology 96, 318-324.
#'   \doi{10.1890/14-0235.1}
#'
#'   Jackson, A. L. and others (2011). Comparing isotopic niche widths among and within communities:
#'   SIBER. Journal of Animal Ecology 80, 595-602. \doi{10.1111/j.1365-2656.2011.01806.x}
#' @examples
#' fit <- fit_hmvn(iris, group = ~ Species, chains = 2, seed = 1)
#' sepals <- c("Sepal.Length", "Sepal.Width")
#' group_overlap(fit, features = sepals)
#' # the probability that a flower of each species lies within the ellipsoid of virginica
#' group_overlap(fit, to = "virginica", measure = "within")
#' @export
group_overlap <- function(fit, to = NULL, measure = "union", group = NULL, features = NULL,
                          level = 0.95, ndraws = NULL, cores = getOption("mc.cores", 1L)) {
  call <- rlang::current_env()
  check_fit(fit, call)
  measure <- check_choice(measure, "measure", overlap_measures, call)
  check_kept(fit, c("mu", "Sigma"), call)
  level <- check_number(level, "level", 0, 1, open = TRUE, call = call)
  cores <- check_count(cores, "cores", min = 1, call = call)
  groups <- match_groups(fit, group, call)
  at <- feature_positions(fit, features, call)
  if (measure != "within") check_two_features(at, "group_overlap", call)
  chosen <- choose_draws(fit, ndraws, call)
  read <- function(g) margin_law(group_law(fit, g, chosen), at)
  if (is.null(to)) check_pairs_size(length(groups), length(chosen), "Overlaps", call)
  reference <- if (!is.null(to)) read(match_reference(fit, to, "to", "group_overlap", call))
  rvar_of_pairs(fit, groups, reference, list(
    read = read, each = function(a, b) law_overlaps(a, b, measure, level, cores)[, 1L],
    same = if (measure == "within") level else 1, symmetric = measure == "union",
    size = if (is.null(ndraws)) n_kept(fit) else c(length(chosen), 1L)
  ))
}

# internal -----------------------------------------------------------------

overlap_measures <- c("union", "area", "within")

# `at`: positions of features
check_two_features <- function(at, generic, call) {
  if (length(at) != 2L) {
    abort_no_meaning(
      generic, "Ellipses are of two features.",
      "it with the names of two {.arg features}", call
    )
  }
}

# Overlaps of two laws, [draw, measure], see group_overlap().
law_overlaps <- function(a, b, measures, level, cores) {
  k <- law_features(a)
  squared_radius <- stats::qchisq(level, k)
  out <- list()
  if (any(measures != "within")) {
    area <- cbind(a = a$chol[, 1L] * a$chol[, 3L], b = b$chol[, 1L] * b$chol[, 3L])
    common <- area[, "a"] * common_area(a, b, sqrt(squared_radius)) / pi
    out$union <- common / (area[, "a"] + area[, "b"] - common)
    out$area <- common / area[, "a"]
  }
  if ("within" %in% measures) {
    out$within <- switch(min(k, 3L),
      interval_shares(a, b, sqrt(squared_radius)),
      ellipse_shares(a, b, sqrt(squared_radius)),
      shares_within_(
        a$mean, a$chol, b$mean, b$chol, squared_radius, normal_points(2048L, k - 1L), cores
      )
    )
  }
  # roundings
  out <- lapply(out, function(x) pmin(pmax(x, 0), 1))
  do.call(cbind, out[measures])
}

# The axes of ellipses of a circle's image: semi-axes and the `angle` of the longer, in radians from
# the first axis, of the factors [draw, 3] of two features.
ellipse_axes <- function(chol) {
  s11 <- chol[, 1L]^2
  s12 <- chol[, 1L] * chol[, 2L]
  s22 <- chol[, 2L]^2 + chol[, 3L]^2
  major <- sqrt((s11 + s22 + sqrt((s11 - s22)^2 + 4 * s12^2)) / 2)
  # by the determinant: the difference of large numbers would lose a small axis
  list(
    major = major, minor = abs(chol[, 1L] * chol[, 3L]) / major,
    angle = atan2(2 * s12, s11 - s22) / 2
  )
}

# The law of `a` seen from `b`: coordinates in which b is standard Normal, turned so that the axes
# of `a` are theirs. list(center = [draw, 2], major, minor)
relative_axes <- function(a, b) {
  l <- b$chol
  z1 <- (a$mean[, 1L] - b$mean[, 1L]) / l[, 1L]
  z2 <- (a$mean[, 2L] - b$mean[, 2L] - l[, 2L] * z1) / l[, 3L]
  m1 <- a$chol[, 1L] / l[, 1L]
  axes <- ellipse_axes(cbind(m1, (a$chol[, 2L] - l[, 2L] * m1) / l[, 3L], a$chol[, 3L] / l[, 3L]))
  along <- cos(axes$angle)
  across <- sin(axes$angle)
  axes$center <- cbind(along * z1 + across * z2, along * z2 - across * z1)
  axes
}

# The area that two ellipses have in common, where that of `a` is the unit disc; both have `radius`.
# Around their intersection run arcs of the ellipse that lie within the disc and arcs of the circle
# that lie within the ellipse, and its area is half of the integral of x dy - y dx along them. The
# circle and the ellipse meet where a quartic in exp(i angle) has roots; roots that are no crossing
# cut an arc in two and change nothing.
common_area <- function(a, b, radius) {
  from_a <- relative_axes(b, a)
  same <- from_a$major - 1 < 1e-12 & 1 - from_a$minor < 1e-12 &
    rowSums(from_a$center^2) < 1e-24
  p <- from_a$major
  q <- from_a$minor
  c1 <- from_a$center[, 1L] / radius
  c2 <- from_a$center[, 2L] / radius
  at <- crossing_angles(c1, c2, p, q)
  x <- c1 + p * cos(at)
  y <- c2 + q * sin(at)
  # of the ellipse
  arc <- arcs_between(at)
  inside <- (c1 + p * cos(arc$middle))^2 + (c2 + q * sin(arc$middle))^2 < 1
  of_ellipse <- p * q * (arc$to - arc$from) + c1 * q * (sin(arc$to) - sin(arc$from)) -
    c2 * p * (cos(arc$to) - cos(arc$from))
  # of the circle
  turn <- arcs_between(atan2(y, x))
  within <- ((cos(turn$middle) - c1) / p)^2 + ((sin(turn$middle) - c2) / q)^2 < 1
  of_circle <- turn$to - turn$from
  area <- (rowSums(of_ellipse * inside) + rowSums(of_circle * within)) / 2
  # one edge is not within the other
  ifelse(same, pi, area)
}

# Angles t, [draw, 4], at which (c1 + p cos t, c2 + q sin t) may lie on the unit circle: those of
# the roots of z^2 (x^2 + y^2 - 1), z = exp(i t), a polynomial of degree four. Of circles about one
# another it has fewer roots: then any angle does.
crossing_angles <- function(c1, c2, p, q) {
  second <- (p^2 - q^2) / 4
  first <- complex(real = c1 * p, imaginary = -c2 * q)
  none <- c1^2 + c2^2 - 1 + (p^2 + q^2) / 2
  coefficients <- rbind(second, Conj(first), none, first, second)
  found <- vapply(seq_along(p), function(i) {
    roots <- Arg(polyroot(coefficients[, i]))
    c(roots, double(4L - length(roots)))
  }, double(4L))
  t(found)
}

# The arcs that angles [draw, 4] cut a turn into: `from`, `to` and the `middle` between them.
arcs_between <- function(angles) {
  n <- ncol(angles)
  sorted <- matrix(angles[order(row(angles), angles)], ncol = n, byrow = TRUE)
  from <- sorted
  to <- cbind(sorted[, -1L, drop = FALSE], sorted[, 1L] + 2 * pi)
  list(from = from, to = to, middle = (from + to) / 2)
}

# The probability that a member of `a` lies within the ellipse of `b`: seen from b, over the shorter
# axis of a by Gauss and Legendre, over the longer by the Normal distribution function. With x =
# radius sin(t) the integrand has no edges.
ellipse_shares <- function(a, b, radius) {
  seen <- relative_axes(a, b)
  reach <- 8.5 * seen$minor
  ends <- cbind(seen$center[, 2L] - reach, seen$center[, 2L] + reach)
  ends <- asin(pmin(pmax(ends / radius, -1), 1))
  rule <- gauss_legendre(48L)
  half <- (ends[, 2L] - ends[, 1L]) / 2
  t <- (ends[, 1L] + ends[, 2L]) / 2 + outer(half, rule$node)
  edge <- radius * cos(t)
  inner <- stats::pnorm((edge - seen$center[, 1L]) / seen$major) -
    stats::pnorm((-edge - seen$center[, 1L]) / seen$major)
  density <- stats::dnorm((radius * sin(t) - seen$center[, 2L]) / seen$minor) / seen$minor
  half * drop((inner * density * edge) %*% rule$weight)
}

interval_shares <- function(a, b, radius) {
  end <- function(sign) (b$mean + sign * radius * abs(b$chol) - a$mean) / abs(a$chol)
  drop(stats::pnorm(end(1)) - stats::pnorm(end(-1)))
}

# Nodes and weights on (-1, 1) (Golub and Welsch 1969).
gauss_legendre <- function(n) {
  i <- seq_len(n - 1L)
  jacobi <- matrix(0, n, n)
  jacobi[cbind(i, i + 1L)] <- jacobi[cbind(i + 1L, i)] <- i / sqrt(4 * i^2 - 1)
  found <- eigen(jacobi, symmetric = TRUE)
  list(node = found$values, weight = 2 * found$vectors[1L, ]^2)
}

# Points that fill a standard Normal distribution of k variables evenly, [k, n]: a lattice of
# irrational steps, of which those of the generalised golden ratio are far from any fraction
# (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences").
normal_points <- function(n, k) {
  ratio <- stats::uniroot(function(x) x^(k + 1) - x - 1, c(1, 2), tol = 1e-14)$root
  matrix(stats::qnorm((0.5 + outer(ratio^-seq_len(k), seq_len(n))) %% 1), k)
}
