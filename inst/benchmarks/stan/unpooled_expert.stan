// No pooling, on sufficient statistics. With Sigma = A A' the group's mean is written as mu = ybar + A z / sqrt(n): then
// the likelihood of the mean is standard normal in z whatever A, and the rest of the likelihood,
//   |A|^-n exp(-tr(S Sigma^-1) / 2), together with |d mu / d z| = |A| / n^(K / 2),
// needs one triangular solve a group (against a root of S) and the diagonals of A. All logarithms of diagonals, those of
// the LKJ density included, are collected into two dot products.
data {
  int<lower=1> K;
  int<lower=1> G;
  vector<lower=1>[G] n;
  matrix[K, G] ybar;
  array[G] matrix[K, K] S;  // centred scatter, positive definite
  vector[K] mean_location;
  vector<lower=0>[K] mean_scale;
  vector<lower=0>[K] sd_rate;
  real<lower=0> eta;
}
transformed data {
  array[G] matrix[K, K] root;
  row_vector[G] inv_sqrt_n = inv_sqrt(n)';
  vector[K * G] sigma_power;
  vector[K * G] diagonal_power;
  vector[K * G] location = to_vector(rep_matrix(mean_location, G));
  vector[K * G] scale = to_vector(rep_matrix(mean_scale, G));
  vector[K * G] rate = to_vector(rep_matrix(sd_rate, G));
  for (g in 1:G) {
    root[g] = cholesky_decompose(S[g]);
    for (k in 1:K) {
      sigma_power[(g - 1) * K + k] = 1 - n[g];
      diagonal_power[(g - 1) * K + k] = 1 - n[g] + (k > 1 ? K - k + 2 * eta - 2 : 0);
    }
  }
}
parameters {
  matrix[K, G] z;
  matrix<lower=0>[K, G] sigma;
  array[G] cholesky_factor_corr[K] L;
}
transformed parameters {
  matrix[K, G] mu;
  matrix[K, G] diagonal_L;
  real distance = 0;
  {
    matrix[K, G] Az;
    array[G] real quadratic;
    for (g in 1:G) {
      matrix[K, K] A = diag_pre_multiply(sigma[, g], L[g]);
      Az[, g] = A * z[, g];
      quadratic[g] = sum(square(mdivide_left_tri_low(A, root[g])));
      diagonal_L[, g] = diagonal(L[g]);
    }
    mu = ybar + diag_post_multiply(Az, inv_sqrt_n);
    distance = sum(quadratic);
  }
}
model {
  target += -0.5 * distance + dot_product(sigma_power, log(to_vector(sigma)))
            + dot_product(diagonal_power, log(to_vector(diagonal_L)));
  target += std_normal_lupdf(to_vector(z));
  target += normal_lupdf(to_vector(mu) | location, scale);
  target += -dot_product(rate, to_vector(sigma));
}
generated quantities {
  array[G] matrix[K, K] Omega;
  for (g in 1:G) {
    Omega[g] = multiply_lower_tri_self_transpose(L[g]);
  }
}
