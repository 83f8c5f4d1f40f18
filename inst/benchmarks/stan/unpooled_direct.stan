// No pooling, the direct translation: all rows, one covariance matrix a group, a loop over groups.
data {
  int<lower=1> N;
  int<lower=1> K;
  int<lower=1> G;
  array[N] vector[K] y;  // sorted by group
  array[G] int<lower=1> first;
  array[G] int<lower=1> last;
  vector[K] mean_location;
  vector<lower=0>[K] mean_scale;
  vector<lower=0>[K] sd_rate;
  real<lower=0> eta;
}
parameters {
  array[G] vector[K] mu;
  array[G] vector<lower=0>[K] sigma;
  array[G] cholesky_factor_corr[K] L;
}
model {
  for (g in 1:G) {
    mu[g] ~ normal(mean_location, mean_scale);
    sigma[g] ~ exponential(sd_rate);
    L[g] ~ lkj_corr_cholesky(eta);
    y[first[g]:last[g]] ~ multi_normal_cholesky(mu[g], diag_pre_multiply(sigma[g], L[g]));
  }
}
generated quantities {
  array[G] matrix[K, K] Omega;
  for (g in 1:G) {
    Omega[g] = multiply_lower_tri_self_transpose(L[g]);
  }
}
