# Functions of the Stan programs: the likelihood from statistics, the scores of (S2) and (S3), and
# their inverses.

# internal -----------------------------------------------------------------

# Only what the model calls.
stan_functions <- function(model) {
  partial_sd <- model$pooling[["sd"]] == "partial"
  partial_cor <- model$pooling[["cor"]] == "partial"
  # of the unpooled the population in a frame has the median
  scored <- partial_sd || (has_framed_population(model) && model$pooling[["sd"]] == "none")
  families <- if (scored) names(model$families)
  c(
    if (model$likelihood && !model$known) stan_rows_lpdf,
    if (length(setdiff(families, "lognormal")) > 0) stan_score_from_tails,
    unlist(lapply(families, function(f) c(stan_sd_scores[[f]], stan_sd_quantiles[[f]]))),
    if (partial_cor) c(stan_cor_scores, stan_cor_quantiles)
  )
}

lines_of <- function(text) strsplit(text, "\n", fixed = TRUE)[[1]][-1]

stan_rows_lpdf <- lines_of("
  // (M2) log density of n rows with mean ybar and centred scatter matrix S under Normal(mu, A A')
  real rows_lpdf(vector ybar, real n, matrix S, vector mu, matrix A) {
    matrix[rows(S), cols(S)] B = mdivide_left_tri_low(A, S + n * tcrossprod(to_matrix(ybar - mu)));
    return -0.5 * n * rows(S) * log(2 * pi()) - n * sum(log(diagonal(A)))
           - 0.5 * trace(mdivide_left_tri_low(A, B'));
  }")

stan_score_from_tails <- lines_of("
  // the standard normal score of a value from log F and log(1 - F), by the smaller tail
  real score_from_tails(real log_lower, real log_upper) {
    return log_lower < log_upper ? std_normal_log_qf(log_lower) : -std_normal_log_qf(log_upper);
  }")

# Truncated families: F(x) = 1 - G(x) / G(0), G the upper tail before truncation, cancels near 0;
# there the density is integrated, by the Gauss-Legendre rule of five nodes.
truncated_score <- function(family, arguments, mass, upper) {
  lines_of(glue_code("
  // log of the mass of (0, x) for x small against the scale: the density integrated by five
  // Gauss-Legendre nodes
  real <family>_log_mass_near_zero(real x, <declared>) {
    vector[5] node = [-0.9061798459386640, -0.5384693101056831, 0,
                      0.5384693101056831, 0.9061798459386640]';
    vector[5] weight = [0.2369268850561891, 0.4786286704993665, 0.5688888888888889,
                        0.4786286704993665, 0.2369268850561891]';
    vector[5] term;
    for (i in 1:5) {
      term[i] = log(0.5 * weight[i]) + <family>_lpdf(0.5 * x * (1 + node[i]) | <given>);
    }
    return log(x) + log_sum_exp(term);
  }
  // (S2) scores under <family> distributions truncated to (0, inf)
  vector <family>_score(vector x, <vectors>) {
    vector[size(x)] u;
    for (k in 1:size(x)) {
      real log_mass = <mass>;
      real log_upper = <upper> - log_mass;
      real log_lower = x[k] < 0.05 * scale[k] ? <family>_log_mass_near_zero(x[k], <each>) - log_mass
                                              : log1m_exp(log_upper);
      u[k] = score_from_tails(log_lower, log_upper);
    }
    return u;
  }",
    family = family, declared = paste("real", arguments, collapse = ", "),
    given = paste(arguments, collapse = ", "),
    vectors = paste("vector", arguments, collapse = ", "),
    each = paste0(arguments, "[k]", collapse = ", "),
    mass = mass, upper = upper
  ))
}

# Fills in <name>.
glue_code <- function(template, ...) {
  values <- list(...)
  for (name in names(values)) {
    template <- gsub(paste0("<", name, ">"), values[[name]], template, fixed = TRUE)
  }
  template
}

stan_sd_scores <- list(
  exponential = lines_of("
  // (S2) scores under Exponential distributions
  vector exponential_score(vector x, vector rate) {
    vector[size(x)] u;
    for (k in 1:size(x)) {
      u[k] = score_from_tails(log1m_exp(-rate[k] * x[k]), -rate[k] * x[k]);
    }
    return u;
  }"),
  normal = truncated_score(
    "normal", c("location", "scale"),
    "std_normal_lcdf(location[k] / scale[k] | )",
    "std_normal_lcdf((location[k] - x[k]) / scale[k] | )"
  ),
  student_t = c(
    lines_of("
  // log P(T > z) of Student's t
  real student_t_log_tail(real z, real df) {
    real share = square(z) / (df + square(z));
    real log_half_tail = square(z) < df ? log1m_exp(beta_lcdf(share | 0.5, 0.5 * df)) - log(2)
                                        : beta_lcdf(df / (df + square(z)) | 0.5 * df, 0.5) - log(2);
    return z < 0 ? log1m_exp(log_half_tail) : log_half_tail;
  }"),
    truncated_score(
      "student_t", c("df", "location", "scale"),
      "student_t_log_tail(-location[k] / scale[k], df[k])",
      "student_t_log_tail((x[k] - location[k]) / scale[k], df[k])"
    )
  ),
  gamma = lines_of("
  // (S2) scores under Gamma distributions
  vector gamma_score(vector x, vector shape, vector rate) {
    vector[size(x)] u;
    for (k in 1:size(x)) {
      u[k] = score_from_tails(gamma_lcdf(x[k] | shape[k], rate[k]),
                              gamma_lccdf(x[k] | shape[k], rate[k]));
    }
    return u;
  }"),
  lognormal = lines_of("
  // (S2) scores under lognormal distributions
  vector lognormal_score(vector x, vector location, vector scale) {
    return (log(x) - location) ./ scale;
  }")
)

# Families without a closed quantile function: by bisection in log x, of use after sampling only.
bisected_quantile <- function(family, arguments, centre) {
  lines_of(glue_code("
  // the inverse of <family>_score, by bisection in log(x)
  vector <family>_at_score(vector u, <vectors>) {
    vector[size(u)] low = log(<centre>) - 600;
    vector[size(u)] high = low + 900;
    for (i in 1:70) {
      vector[size(u)] middle = 0.5 * (low + high);
      vector[size(u)] score = <family>_score(exp(middle), <given>);
      for (k in 1:size(u)) {
        if (score[k] < u[k]) {
          low[k] = middle[k];
        } else {
          high[k] = middle[k];
        }
      }
    }
    return exp(0.5 * (low + high));
  }",
    family = family, vectors = paste("vector", arguments, collapse = ", "),
    given = paste(arguments, collapse = ", "),
    centre = centre
  ))
}

stan_sd_quantiles <- list(
  exponential = lines_of("
  // the inverse of exponential_score
  vector exponential_at_score(vector u, vector rate) {
    vector[size(u)] x;
    for (k in 1:size(u)) {
      x[k] = -std_normal_lcdf(-u[k] | ) / rate[k];
    }
    return x;
  }"),
  normal = bisected_quantile("normal", c("location", "scale"), "scale"),
  student_t = bisected_quantile("student_t", c("df", "location", "scale"), "scale"),
  gamma = bisected_quantile("gamma", c("shape", "rate"), "shape ./ rate"),
  lognormal = lines_of("
  // the inverse of lognormal_score
  vector lognormal_at_score(vector u, vector location, vector scale) {
    return exp(location + scale .* u);
  }")
)

stan_cor_scores <- lines_of("
  // (S3) scores of the canonical partial correlations c that make up the Cholesky factor L of a
  // correlation matrix, row by row: L[i, j] = c z with z^2 = L[i, j]^2 + ... + L[i, i]^2, and
  // (c + 1) / 2 ~ Beta(b, b) under LKJ(eta).
  vector cor_score(matrix L, real eta) {
    int K = rows(L);
    vector[(K * (K - 1)) %/% 2] u;
    int at = 0;
    for (i in 2:K) {
      for (j in 1:(i - 1)) {
        real b = eta + 0.5 * (K - 1 - j);
        real rest = dot_self(L[i, (j + 1):i]);
        real z = sqrt(square(L[i, j]) + rest);
        real tail = rest / (2 * z * (z + abs(L[i, j])));  // (1 - |c|) / 2, and nothing cancels
        real score = std_normal_log_qf(beta_lcdf(tail | b, b));
        at += 1;
        u[at] = L[i, j] < 0 ? score : -score;
      }
    }
    return u;
  }")

stan_cor_quantiles <- lines_of("
  // the inverse of cor_score
  matrix cor_at_score(vector u, real eta, int K) {
    matrix[K, K] L = rep_matrix(0, K, K);
    int at = 0;
    L[1, 1] = 1;
    for (i in 2:K) {
      real z = 1;
      for (j in 1:(i - 1)) {
        real b = eta + 0.5 * (K - 1 - j);
        real tail;
        at += 1;
        tail = inv_inc_beta(b, b, Phi(-abs(u[at])));
        L[i, j] = (u[at] < 0 ? -1 : 1) * (1 - 2 * tail) * z;
        z *= 2 * sqrt(tail * (1 - tail));
      }
      L[i, i] = z;
    }
    return L;
  }")
