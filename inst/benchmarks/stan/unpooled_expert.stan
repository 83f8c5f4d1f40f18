// No pooling, on sufficient statistics. With Sigma = A A' the group's mean is written as mu = ybar + A z / sqrt(n):
// then the likelihood of the mean is standard normal in z whatever A, and the rest of the likelihood,
//   |A|^-n exp(-tr(S Sigma^-1) / 2), together with |d mu / d z| = |A| / n^(K / 2),
// needs one triangular solve a group (against a root of S). Correlation matrices are built from partial correlations
// c = tanh(w): all logarithms that are left, those of the LKJ density and of the Jacobian included, are sums over
// log(1 - c^2).
// In a frame sigma and L are those of A, and means stay on the raw features.
functions {
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
}
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
  int<lower=0, upper=1> framed;
  matrix[K, K] frame;  // if framed, Sigma = frame A A' frame', and S is that of frame^-1 y
}
transformed data {
  int Q = (K * (K - 1)) %/% 2;
  array[G] matrix[K, K] root;
  row_vector[G] inv_sqrt_n = inv_sqrt(n)';
  vector[K * G] location = to_vector(rep_matrix(mean_location, G));
  vector[K * G] scale = to_vector(rep_matrix(mean_scale, G));
  vector[K * G] rate = to_vector(rep_matrix(sd_rate, G));
  vector[K * G] sigma_power = to_vector(rep_matrix(1 - n', K));
  matrix[Q, G] s_power;
  for (g in 1:G) {
    int at = 0;
    root[g] = cholesky_decompose(S[g]);
    for (i in 2:K) {
      for (j in 1:(i - 1)) {
        at += 1;
        // (c + 1) / 2 ~ Beta(b, b) and d c / d w = 1 - c^2
        s_power[at, g] = 1 - n[g] + 2 * (eta + 0.5 * (K - 1 - j));
      }
    }
  }
}
parameters {
  matrix[K, G] z;
  matrix<lower=0>[K, G] sigma;
  matrix[Q, G] w;
}
transformed parameters {
  matrix[K, G] mu;
  array[G] matrix[K, K] L;
  matrix[Q, G] s;
  real distance;
  {
    matrix[Q, G] c = tanh(w);
    matrix[K, G] Az;
    array[G] real quadratic;
    s = sqrt(1 - square(c));
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
}
model {
  target += -0.5 * distance + dot_product(sigma_power, log(to_vector(sigma))) + sum(s_power .* log(s));
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
