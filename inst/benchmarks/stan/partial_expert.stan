// Means, standard deviations and correlations partially pooled; complete rows, exponential priors of the sds.
// Sampled are scores (standard normal under the prior). Given a block's heterogeneity h the scores of one quantity over
// groups are exchangeable normal, once the population's score is integrated out: their mean has variance
// (h^2 + G (1 - h^2)) / G, and what is left has variance h^2. So
// - centred: the scores themselves are sampled;
// - not centred: x, standard normal, with score = h x + (sqrt(h^2 + G (1 - h^2)) - h) mean(x);
// chosen for every quantity by the data. Group means are mu = ybar + A z / sqrt(n), Sigma = A A', as in
// unpooled_expert.stan, also in a frame.
functions {
  // log density of exchangeable scores
  real exchangeable_lpdf(row_vector u, real h) {
    int G = size(u);
    real common = square(h) + G * (1 - square(h));
    return -(G - 1) * (0.5 * variance(u) / square(h) + log(h)) - 0.5 * (G * square(mean(u)) / common + log(common));
  }
  row_vector correlate(row_vector x, real h) {
    int G = size(x);
    return h * x + (sqrt(square(h) + G * (1 - square(h))) - h) * mean(x);
  }
  // atanh of the partial correlation with score u under (c + 1) / 2 ~ Beta(b, b)
  real atanh_at_score(real u, real b) {
    real tail = inv_inc_beta(b, b, Phi(-abs(u)));
    return (u < 0 ? -0.5 : 0.5) * (log1m(tail) - log(tail));
  }
  // Coefficients of the same in `cells` cubic pieces from score -reach to reach, by values and slopes at their ends
  matrix atanh_table(real b, int cells, real reach) {
    matrix[cells, 4] table;
    real step = 2 * reach / cells;
    real constant = (1 - b) * log(4) - log(2) - lbeta(b, b);  // log density of w = atanh(c): this - 2 b log(cosh(w))
    vector[cells + 1] w;
    vector[cells + 1] slope;
    for (i in 1:(cells + 1)) {
      real u = -reach + (i - 1) * step;
      w[i] = atanh_at_score(u, b);
      slope[i] = step * exp(std_normal_lpdf(u) - constant + 2 * b * (abs(w[i]) + log1p_exp(-2 * abs(w[i])) - log(2)));
    }
    for (i in 1:cells) {
      real rise = w[i + 1] - w[i];
      table[i] = [w[i], slope[i], 3 * rise - 2 * slope[i] - slope[i + 1], slope[i] + slope[i + 1] - 2 * rise];
    }
    return table;
  }
  // The piece that u falls in, from 0; outside of the table the first or the last
  int find_cell(real u, int cells, real reach, real step) {
    int low = 0;
    int width = cells;
    while (width > 1) {
      width = width %/% 2;
      if (u > (low + width) * step - reach) {
        low += width;
      }
    }
    return low;
  }
  // Scores of partial correlations, one row a pair of features, to their atanh
  matrix look_up(matrix u, array[] matrix table, array[] int column, real reach) {
    matrix[rows(u), cols(u)] w;
    int cells = rows(table[1]);
    real step = 2 * reach / cells;
    for (g in 1:cols(u)) {
      for (q in 1:rows(u)) {
        int at = find_cell(u[q, g], cells, reach, step);
        real t = fma(u[q, g], 1 / step, reach / step - at);
        w[q, g] = fma(
          t, fma(t, fma(t, table[column[q]][at + 1, 4], table[column[q]][at + 1, 3]), table[column[q]][at + 1, 2]),
          table[column[q]][at + 1, 1]
        );
      }
    }
    return w;
  }
  // Cholesky factor of a correlation matrix from its partial correlations c, row by row, and s = sqrt(1 - c^2)
  matrix cor_factor(vector c, vector s, int K) {
    matrix[K, K] L = rep_matrix(0, K, K);
    int at = 0;
    L[1, 1] = 1;
    for (i in 2:K) {
      real rest = s[at + 1];
      L[i, 1] = c[at + 1];
      for (j in 2:(i - 1)) {
        L[i, j] = c[at + j] * rest;
        rest *= s[at + j];
      }
      L[i, i] = rest;
      at += i - 1;
    }
    return L;
  }
  // The population's score given those of the groups
  real population_rng(row_vector u, real h) {
    int G = size(u);
    real common = square(h) + G * (1 - square(h));
    return normal_rng((1 - square(h)) * sum(u) / common, h * sqrt((1 - square(h)) / common));
  }
}
data {
  int<lower=2> K;
  int<lower=2> G;
  vector<lower=1>[G] n;
  matrix[K, G] ybar;
  array[G] matrix[K, K] S;  // centred scatter, of any rank
  vector[K] mean_location;
  vector<lower=0>[K] mean_scale;
  vector<lower=0>[K] sd_rate;
  real<lower=0> eta;
  int<lower=0, upper=1> framed;
  matrix[K, K] frame;  // if framed, Sigma = frame A A' frame', and S is that of frame^-1 y
  vector<lower=0>[2] h_prior;  // of the Beta priors
  array[K] int<lower=0, upper=1> centred_sd;
  array[(K * (K - 1)) %/% 2] int<lower=0, upper=1> centred_cor;
}
transformed data {
  int Q = (K * (K - 1)) %/% 2;
  real reach = 12;
  array[K - 1] matrix[1024, 4] table;
  array[Q] int column;
  array[G] matrix[K, K] root;
  row_vector[G] inv_sqrt_n = inv_sqrt(n)';
  matrix[K, G] sigma_power = rep_matrix(1 - n', K);
  matrix[Q, G] cor_power = rep_matrix(1 - n', Q);
  for (j in 1:(K - 1)) {
    table[j] = atanh_table(eta + 0.5 * (K - 1 - j), 1024, reach);
  }
  {
    int at = 0;
    for (i in 2:K) {
      for (j in 1:(i - 1)) {
        at += 1;
        column[at] = j;
      }
    }
  }
  for (g in 1:G) {
    root[g] = diag_post_multiply(eigenvectors_sym(S[g]), sqrt(fmax(eigenvalues_sym(S[g]), 0)));
  }
}
parameters {
  matrix[K, G] z;
  matrix[K, G] x_sd;
  matrix[Q, G] x_cor;
  vector<lower=0, upper=1>[K] h_mean;
  vector<lower=0, upper=1>[K] h_sd;
  real<lower=0, upper=1> h_cor;
}
transformed parameters {
  matrix[K, G] u_mean;
  matrix[K, G] u_sd;
  matrix[Q, G] u_cor;
  matrix[K, G] mu;
  matrix[K, G] sigma;
  array[G] matrix[K, K] L;
  matrix[Q, G] c;
  matrix[Q, G] s;
  real distance;
  for (k in 1:K) {
    u_sd[k] = centred_sd[k] ? x_sd[k] : correlate(x_sd[k], h_sd[k]);
  }
  for (q in 1:Q) {
    u_cor[q] = centred_cor[q] ? x_cor[q] : correlate(x_cor[q], h_cor);
  }
  sigma = diag_pre_multiply(-inv(sd_rate), log1m(Phi(u_sd)));
  c = tanh(look_up(u_cor, table, column, reach));
  s = sqrt(1 - square(c));
  {
    matrix[K, G] Az;
    array[G] real quadratic;
    for (g in 1:G) {
      matrix[K, K] A;
      L[g] = cor_factor(c[, g], s[, g], K);
      A = diag_pre_multiply(sigma[, g], L[g]);
      Az[, g] = A * z[, g];
      quadratic[g] = dot_self(to_vector(mdivide_left_tri_low(A, root[g])));
    }
    if (framed) {
      Az = frame * Az;
    }
    mu = ybar + diag_post_multiply(Az, inv_sqrt_n);
    distance = sum(quadratic);
  }
  u_mean = diag_pre_multiply(inv(mean_scale), mu - rep_matrix(mean_location, G));
}
model {
  target += -0.5 * distance + sum(sigma_power .* log(sigma)) + sum(cor_power .* log(s));
  target += std_normal_lupdf(to_vector(z));
  for (k in 1:K) {
    target += exchangeable_lpdf(u_mean[k] | h_mean[k]);
    target += centred_sd[k] ? exchangeable_lpdf(x_sd[k] | h_sd[k]) : std_normal_lupdf(x_sd[k]);
  }
  for (q in 1:Q) {
    target += centred_cor[q] ? exchangeable_lpdf(x_cor[q] | h_cor) : std_normal_lupdf(x_cor[q]);
  }
  target += beta_lupdf(h_mean | h_prior[1], h_prior[2]) + beta_lupdf(h_sd | h_prior[1], h_prior[2])
            + beta_lupdf(h_cor | h_prior[1], h_prior[2]);
}
generated quantities {
  array[G] matrix[K, K] Omega;
  vector[K] mu0;
  vector[K] sigma0;
  matrix[K, K] Omega0;
  for (g in 1:G) {
    Omega[g] = multiply_lower_tri_self_transpose(L[g]);
  }
  for (k in 1:K) {
    mu0[k] = mean_location[k] + mean_scale[k] * population_rng(u_mean[k], h_mean[k]);
    sigma0[k] = -log1m(Phi(population_rng(u_sd[k], h_sd[k]))) / sd_rate[k];
  }
  {
    vector[Q] c0;
    for (q in 1:Q) {
      c0[q] = tanh(atanh_at_score(population_rng(u_cor[q], h_cor), eta + 0.5 * (K - 1 - column[q])));
    }
    Omega0 = multiply_lower_tri_self_transpose(cor_factor(c0, sqrt(1 - square(c0)), K));
  }
}
