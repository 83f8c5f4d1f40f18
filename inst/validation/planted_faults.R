# Would the tests notice? Plants one fault at a time in a copy of the sources, installs it, runs the
# tests of the room that it is in, and lists which of them fail.
#
#   Rscript inst/validation/planted_faults.R [faults] [tests]      (from a checkout)
#
# Both are regular expressions, over names of faults and of test files. With the first only these
# faults' rows of the saved results are renewed.
#
# A fault is a set of replacements, each of a text that occurs once in its file, a path from
# src/hmvn or the name of a file of R/. Density and gradient are changed together where a test of
# the gradient alone would find the fault too easily.

# Test files that are run for faults of a room: those that are near. Of what many rooms read, a few
# look at whole fits.
tests_of <- c(
  model = "core-posterior-density|core-direct|prior_only|new_group",
  coordinates = "core-posterior-density|new_group",
  posterior = "core-posterior|prior_only",
  sizes = "core-every_size",
  mcmc = "core-mcmc",
  sampling = "core-sampling|sample_chains",
  many_units = "core-sampling|many_groups",
  cores = "cores_within_chain",
  direct = "core-direct",
  coefficients = "core-posterior-(between|regression)|test-between",
  nests = "core-model-nested",
  levels = "core-posterior-levels|test-pooling[.]R",
  known = "core-posterior-levels|test-known",
  frame = "test-frame",
  conflict = "test-prior_conflict|test-frame",
  engine = "test-engine",
  comparison = "test-compare_groups"
)
# Of processor time: several times what any of these files takes without a fault.
seconds_for_a_file <- 120

fault <- function(tests, ...) list(tests = tests_of[[tests]], replacements = list(...))

faults <- list(
  "R_b is left out of the prior" = fault(
    "coefficients",
    "coordinates/population.hpp" = c(
      "point.log_density -= T(0.5) * point.between.score.squaredNorm();" = ""
    ),
    "coordinates/population.cpp" = c(
      "outer.between - point.between.score;" = "outer.between;"
    )
  ),
  "the gradient of nested rows counts its diagonal twice" = fault(
    "sizes",
    "model/nested_likelihood.hpp" = c("j < i ? b : T(0.5) * (b - rows)" = "j < i ? b : b - rows")
  ),
  "rows of nested patterns are pooled as if their means were one" = fault(
    "nests",
    "model/nested_patterns.cpp" = c("scatter += rows.n * shift * shift.transpose();" = "")
  ),
  "rows of nested patterns with covariates are pooled as if their means were one" = fault(
    "nests",
    "model/nested_patterns.cpp" = c(
      "roots[p].col(0) -= std::sqrt(patterns[p]->n) * mean;" = "roots[p].col(0).setZero();"
    )
  ),
  "patterns are nested without moving others" = fault(
    "nests",
    "model/nested_patterns.cpp" = c("patterns_.size() <= most_patterns;" = "false;")
  ),
  "means are correlated between groups by the transposed factor" = fault(
    "coefficients",
    "model/coefficient_prior.hpp" = c("= sd * factor(i, j);" = "= sd * factor(j, i);")
  ),
  "a new group's deviations are uncorrelated" = fault(
    "coefficients",
    "predict/new_group.hpp" = c("for (int j = 0; j <= i; ++j) {" = "for (int j = i; j <= i; ++j) {")
  ),
  "covariates are about each pattern's own mean" = fault(
    "coefficients",
    "model/pattern_statistics.cpp" = c(
      "mean << covariates.mean," = "mean << 0.0 * covariates.mean,"
    )
  ),
  "the determinant of I + Lambda D is left out" = fault(
    "coefficients",
    "model/regression_law.cpp" = c("(part.alpha.dot(deviation) + part.log_determinant);" =
      "part.alpha.dot(deviation);")
  ),
  "the coefficients' covariance matrix is left out of the gradient" = fault(
    "coefficients",
    "model/nested_regression.hpp" = c(
      "add_product<any>(i + 1, scratch.nested.covariance, w, pulled);" = ""
    )
  ),
  "coefficients are drawn without the rows' noise" = fault(
    "coefficients",
    "model/regression_law.cpp" = c("+ part.shrink * noise -" = "+ 0.0 * part.shrink * noise -")
  ),
  "slopes are measured from 0, not from their prior locations" = fault(
    "coefficients",
    "model/pattern_statistics.cpp" = c("design.response_root -=" = "design.response_root -= 0.0 *")
  ),
  "unpooled means are correlated between groups, too" = fault(
    "levels",
    "model/model.cpp" = c(
      "if (coefficients[k].partial()) between_features.push_back(k);" =
        "if (!coefficients[k].complete()) between_features.push_back(k);"
    )
  ),
  "the scale of a mean in common is left out of its prior" = fault(
    "levels",
    "posterior/read.hpp" = c(
      "if (block.complete()) sum -= std::log(model_.coefficient_scale[k]);" = ""
    )
  ),
  "a mean in common has the prior of a group's own" = fault(
    "levels",
    "posterior/read.hpp" = c(
      "if (block.pooled()) sum += log_normal_density(score_[k]);" =
        "if (block.partial()) sum += log_normal_density(score_[k]);"
    )
  ),
  "known variances are taken for standard deviations" = fault(
    "known",
    "model/coefficient_law.hpp" = c(
      "like.spread = estimate.scatter.template cast<T>();" =
        "like.spread = estimate.scatter.cwiseAbs().cwiseSqrt().template cast<T>();"
    )
  ),
  "known covariances are left out, variances kept" = fault(
    "known",
    "model/coefficient_law.hpp" = c(
      "like.spread = estimate.scatter.template cast<T>();" =
        "like.spread.setZero(); like.spread.diagonal() = estimate.scatter.diagonal().cast<T>();"
    )
  ),
  "the root of the frame is transposed" = fault(
    "frame",
    "model/frame.hpp" = c(
      "multiply_by_lower(C, point.factor, point.root);" =
        "multiply_by_lower(C.transpose(), point.factor, point.root);",
      "fill_lower_of_product(C.transpose(), of_root, of_factor);" =
        "fill_lower_of_product(C, of_root, of_factor);"
    )
  ),
  "the determinant of the frame is left out" = fault(
    "frame",
    "model/model.cpp" = c("log_frame = qr_triangle" = "log_frame = 0.0 * qr_triangle")
  ),
  "LKJ exponent off by one" = fault(
    "model",
    "model/model.cpp" = c("emplace_back(eta + 0.5" = "emplace_back(eta + 1.0 + 0.5")
  ),
  "n for n - 1" = fault(
    "model", "model/group_likelihood.hpp" = c("out.within = -(n - T(1)) *" = "out.within = -n *")
  ),
  "transposed L" = fault("model", "math/packed.hpp" = c("= lower(i, j);" = "= lower(j, i);")),
  "sqrt(1 - h) for sqrt(1 - h^2)" = fault(
    "model",
    "coordinates/heterogeneity.hpp" = c(
      "const T weight = sqrt(complement * (T(1) + h));" = "const T weight = sqrt(complement);",
      "-h * density / weight" = "-T(0.5) * density / weight"
    )
  ),
  # coordinates
  "Jacobian of the groups' change of variables dropped" = fault(
    "coordinates",
    "coordinates/group.hpp" = c("squaredNorm()) - out.log_A;" = "squaredNorm());"),
    "coordinates/group_gradient.hpp" = c(
      "of.root(j, j) -= 1.0 / point.R(j, j);" = "", " + 1.0 / D;" = ";"
    )
  ),
  "Jacobian of the heterogeneities' standardisation dropped" = fault(
    "coordinates",
    "coordinates/heterogeneity.hpp" = c(
      "result.log_prior += log(at.slope);" = "", " + at.curvature / at.slope;" = ";"
    )
  ),
  # posterior
  "one group's likelihood left out" = fault(
    "posterior",
    "posterior/density.hpp" = c(
      "log_density += work.coefficients.at_center(g, bundle);" =
        "if (g > 0) log_density += work.coefficients.at_center(g, bundle);"
    )
  ),
  "mu0 read at u_0 instead of v" = fault(
    "model",
    "posterior/read.hpp" = c(
      "typical = model_.coefficient_location + population_;" =
        "typical = model_.coefficient_location + model_.coefficient_scale.cwiseProduct(score_);"
    )
  ),
  "groups that were evaluated elsewhere are not filled anew" = fault(
    "posterior",
    "posterior/posterior_of.hpp" = c(
      "return at_group(g, x) || fill_group(g, x);" = "return true;"
    )
  ),
  "what is shared is taken to be filled wherever it was" = fault(
    "posterior",
    "posterior/posterior_of.hpp" = c(
      "return shared_filled_ && at_.head(layout_.n_shared()) == x;" = "return shared_filled_;"
    )
  ),
  "a group's own is taken to be filled wherever it was" = fault(
    "posterior",
    "posterior/posterior_of.hpp" = c(
      "return group_filled_[g] && at_.segment(own.begin, own.size) == x;" =
        "return group_filled_[g];"
    )
  ),
  "the law of the means is taken to be the whole's after a group's" = fault(
    "posterior",
    "posterior/posterior_of.hpp" = c(
      "    summed_ = false;  // groups'" = "    // groups'"
    )
  ),
  "evaluating a group moves it" = fault(
    "posterior",
    "posterior/posterior_of.hpp" = c(
      "if (!at_group(g, x) && !fill_group(g, x)) return failed;" =
        "if (!at_group(g, x) && !fill_group(g, x)) return failed;\n    move_group(g, x);"
    )
  ),
  "sums of the coefficients' law leave out all bundles of groups but the first" = fault(
    "sizes",
    "model/coefficient_law.hpp" = c("all.add(benches_[b].*of_bundle);" = ";")
  ),
  "gradients leave out all bundles of groups but the first" = fault(
    "sizes",
    "posterior/density.hpp" = c("all.of_population.add(benches_[b].of_population);" = "")
  ),
  # mcmc
  "quarter turns are always accepted" = fault(
    "mcmc",
    "mcmc/quarter_turn.hpp" = c(
      "std::log(random.uniform()) < change;" = "std::log(random.uniform()) < 0.0;"
    )
  ),
  "quarter turns are all of one length" = fault(
    "mcmc", "mcmc/quarter_turn.hpp" = c("jitter * (2.0 * random.uniform() - 1.0)" = "0.0 * jitter")
  ),
  "no trajectory is refined" = fault(
    "mcmc", "mcmc/quarter_turn.hpp" = c("random.uniform() < refined_share_;" = "false;")
  ),
  "refined trajectories teach the step size" = fault(
    "mcmc", "mcmc/chain.hpp" = c("if (!facts.refined) step_size_" = "step_size_")
  ),
  "U-turns are looked for across the whole span alone" = fault(
    "mcmc",
    "mcmc/nuts.hpp" = c(
      "extends(early.first, late.first, early.sum + late.first)" = "true",
      "extends(early.last, late.last, late.sum + early.last)" = "true"
    )
  ),
  "NUTS keeps its momentum" = fault(
    "mcmc",
    "mcmc/nuts.hpp" = c("state.current.draw_momentum(random);\n    forward_" = "forward_")
  ),
  "a tree weighs as its first half" = fault(
    "mcmc",
    "mcmc/nuts.hpp" = c(
      "out.log_weight = log_sum_exp(first.log_weight, second.log_weight);" =
        "out.log_weight = first.log_weight;"
    )
  ),
  "a trajectory's weight stays that of its first point" = fault(
    "mcmc",
    "mcmc/nuts.hpp" = c(
      "whole_.log_weight = log_sum_exp(whole_.log_weight, extension_.log_weight);" = ""
    )
  ),
  "NUTS goes forward in time more often than back" = fault(
    "mcmc", "mcmc/nuts.hpp" = c("random.uniform() > 0.5" = "random.uniform() > 0.4")
  ),
  "the last step size of warm-up is kept, not the average" = fault(
    "mcmc",
    "mcmc/chain.hpp" = c("step_size_.averaged_step_size();" = "step_size_.step_size();")
  ),
  "windows of warm-up end one iteration late" = fault(
    "mcmc",
    "mcmc/chain.hpp" = c(
      "iteration_ + 1 == schedule_.window_ends" = "iteration_ == schedule_.window_ends"
    )
  ),
  "the step size is not sought anew after a window" = fault(
    "mcmc",
    "mcmc/chain.hpp" = c(
      "covariance_.restart();\n    mover.find_reasonable_step_size(target, state_, random);" =
        "covariance_.restart();"
    )
  ),
  "the gradient of before a metric was learned is gone on with" = fault(
    "mcmc",
    "mcmc/chain.hpp" = c(
      "covariance_.covariance());\n      state_.evaluate(target, state_.current);" =
        "covariance_.covariance());"
    )
  ),
  "warm-up ends whatever the means of its windows are" = fault(
    "mcmc", "mcmc/chain.hpp" = c("(shift < window.variance.array()).all();" = "true;")
  ),
  "only what is shared must have settled for warm-up to end" = fault(
    "sampling", "sampling/sweep.hpp" = c("std::all_of(own_.begin(), own_.end(), is);" = "true;")
  ),
  "gradients are standardised by the untransposed root" = fault(
    "mcmc",
    "mcmc/standardisation.hpp" = c(
      "gradient[j] = root_.col(j).tail(n - j).dot(of_position.tail(n - j));" =
        "gradient[j] = root_.row(j).head(j + 1).dot(of_position.head(j + 1));"
    )
  ),
  # sampling
  "groups are not moved" = fault(
    "sampling", "sampling/sweep.hpp" = c("posterior_.move_group(g, chain.position());" = "")
  ),
  "what is shared is not moved" = fault(
    "sampling", "sampling/sweep.hpp" = c("posterior_.move_shared(chain.position());" = "")
  ),
  "what is shared is not looked at again when groups have moved" = fault(
    "sampling",
    "sampling/sweep.hpp" = c("if (has_own()) chain.look_again(shared_target());" = "")
  ),
  "groups are not looked at again when what is shared has moved" = fault(
    "sampling", "sampling/sweep.hpp" = c("chain.look_again(own_target(g));" = "")
  ),
  "the means' population is not drawn anew" = fault(
    "sampling",
    "sampling/sweep.hpp" = c(
      "posterior_.draw_population(random_);\n    const Bundles" = "const Bundles"
    )
  ),
  "all groups of an iteration have one random stream" = fault(
    "cores",
    "sampling/sweep.hpp" = c(
      "random(seed, static_cast<std::uint64_t>(g), 0);" = "random(seed, 0, 0);"
    )
  ),
  "all bundles of groups have one mover" = fault(
    "cores",
    "sampling/sweep.hpp" = c(
      "advance_group(g, benches_[b].mover" = "advance_group(g, benches_[0].mover"
    )
  ),
  "the random stream is no part of the saved state" = fault(
    "sampling", "sampling/sweep.hpp" = c("random_.visit(archive);" = "")
  ),
  "where the posterior stands is no part of the saved state" = fault(
    "sampling", "sampling/sweep.hpp" = c("posterior_.move(position);" = "")
  ),
  "the iteration is no part of the saved state" = fault(
    "sampling", "sampling/hmc.cpp" = c("archive(iteration_);" = "")
  ),
  "what is learned of the covariance is no part of the saved state" = fault(
    "sampling", "mcmc/chain.hpp" = c("covariance_.visit(archive);" = "")
  ),
  "draws are recorded one place early" = fault(
    "sampling",
    "sampling/hmc.cpp" = c("i / plan_.thin, draw_" = "std::max(0, i / plan_.thin - 1), draw_")
  ),
  "the first of thinned draws is kept, not the last" = fault(
    "sampling", "sampling/hmc.cpp" = c("if ((i + 1) % plan_" = "if (i % plan_")
  ),
  "reports of a slice's units and chains are in the wrong order" = fault(
    "many_units",
    "sampling/fit_job.hpp" = c(
      "const UnitReport& report(int cell) const { return reports_[cell]; }" = paste(
        "const UnitReport& report(int cell) const",
        "{ return reports_[reports_.size() - 1 - cell]; }"
      )
    )
  ),
  "all chains have one stream" = fault(
    "sampling",
    "sampling/fit_jobs.hpp" = c("start(static_cast<std::uint64_t>(cell.chain)" = "start(0")
  ),
  "a slice leaves its last unit out" = fault(
    "many_units",
    "sampling/division.hpp" = c(
      "return (end_unit - first_unit) *" = "return (end_unit - first_unit - 1) *"
    )
  ),
  # direct
  "more degrees of freedom are added than (D6) allows" = fault(
    "direct", "direct/weight_bound.cpp" = c("return 0.999 *" = "return 1.05 *")
  ),
  "as many degrees of freedom are added as (D6) allows, without a margin" = fault(
    "direct", "direct/weight_bound.cpp" = c("return 0.999 *" = "return")
  ),
  "weights are squared" = fault(
    "direct",
    "direct/independence_chain.hpp" = c(
      "candidate_.log_weight - current_.log_weight;" =
        "2.0 * (candidate_.log_weight - current_.log_weight);"
    )
  ),
  "the weight of rejection lacks |Sigma|" = fault(
    "direct",
    "direct/exact_sampler.hpp" = c(
      " +\n           extra_df_ * draw_.log_root;" = ";"
    )
  ),
  "the weight of steps lacks |Sigma|" = fault(
    "direct", "direct/independence_chain.hpp" = c("defensive_extra_df_ * draw.log_root + " = "")
  ),
  "steps weigh by one of their two proposals" = fault(
    "direct", "direct/independence_chain.hpp" = c("- log_mixture;" = "- log_matched;")
  ),
  "the means' factor has a lower bound that is too high" = fault(
    "direct",
    "direct/mean_factor.hpp" = c("0.5 / group.n * precision_;" = "0.4 / group.n * precision_;")
  ),
  "the means' factor has an upper bound that is too low" = fault(
    "direct",
    "direct/mean_factor.hpp" = c("+ 0.5 / group.n * square);" = "+ 0.4 / group.n * square);")
  ),
  "means are tilted away from their prior" = fault(
    "direct",
    "direct/mean_factor.hpp" = c("spread - tilt_[j] * share;" = "spread + tilt_[j] * share;")
  ),
  "means are drawn without their prior's second factor" = fault(
    "direct", "direct/mean_factor.hpp" = c("if (u < 1.0 - 0.5 * square ||" = "if (u < 1.0 ||")
  ),
  "the power of Bartlett's diagonal (D13) is off by one" = fault(
    "direct",
    "direct/bartlett_density.cpp" = c(
      "target_.degrees_of_freedom() - n_features_;" =
        "target_.degrees_of_freedom() - n_features_ + 1.0;"
    )
  ),
  "the gradient in a covariance matrix leaves out the means' pull on it" = fault(
    "direct",
    "direct/bartlett_density.cpp" = c(
      "solution_[i] * projection_.head(i + 1).transpose()" = "0.0 * row"
    )
  ),
  "symmetric products of many features are filled in half" = fault(
    "sizes", "math/product.hpp" = c("mirror_lower(out);" = "{\n  }")
  ),
  "moments of means with missing cells are filled in half" = fault(
    "sizes", "model/mean_law.hpp" = c("mirror_lower(moments.covariance);" = "")
  ),
  # R
  "a conflict may go either way from group to group" = fault(
    "conflict",
    "prior_conflict.R" = c(
      "shift = apply(found[, 1L, , drop = FALSE], 1, stats::median)" =
        "shift = apply(abs(found[, 1L, , drop = FALSE]), 1, stats::median)"
    )
  ),
  "groups with missing cells are not looked at for conflict" = fault(
    "conflict", "prior_conflict.R" = c("holes <- unique(" = "holes <- integer() # unique(")
  ),
  "EM leaves out what cells vary by, given the others" = fault(
    "conflict", "frame.R" = c(" + set$n * left" = "")
  ),
  "sums of a database are not corrected for their centre" = fault(
    "engine", "engine_sums.R" = c(" - rest[i, ] * rest[j, ] / size" = "")
  ),
  "sums of a database leave out the weights" = fault(
    "engine", "engine_sums.R" = c("if (weighted) x <- rlang::expr(!!w * !!x)" = "")
  ),
  "the probability of a positive difference is that of a negative one" = fault(
    "comparison", "diagnostics/spread.hpp" = c("(x > 0.0).count()" = "(x < 0.0).count()")
  ),
  "a rope is half as wide as said" = fault(
    "comparison",
    "diagnostics/spread.hpp" = c("(x.abs() < half_width)" = "(2.0 * x.abs() < half_width)")
  )
)

is_r <- function(file) grepl("[.]R$", file)

with_fault <- function(text, replacement) {
  for (old in names(replacement)) {
    places <- gregexpr(old, text, fixed = TRUE)[[1]]
    if (length(places) != 1 || places == -1) stop("not found once: ", old)
    text <- sub(old, replacement[[old]], text, fixed = TRUE)
  }
  text
}

place_of <- function(checkout, file) {
  file.path(checkout, if (is_r(file)) "R" else "src/hmvn", file)
}

plant <- function(checkout, replacements) {
  for (file in names(replacements)) {
    path <- place_of(checkout, file)
    writeLines(with_fault(paste(readLines(path), collapse = "\n"), replacements[[file]]), path)
  }
}

# What a file of src includes, and what that includes, itself among them; paths from src.
included <- function(src, file, found = character()) {
  if (file %in% found || !file.exists(file.path(src, file))) {
    return(found)
  }
  found <- c(found, file)
  text <- readLines(file.path(src, file))
  for (name in sub("^#include \"(.*)\".*", "\\1", grep("^#include \"", text, value = TRUE))) {
    found <- included(src, name, found)
  }
  found
}

# R's make knows sources, not headers.
remove_stale_objects <- function(checkout, headers) {
  src <- file.path(checkout, "src")
  for (file in list.files(src, "[.]c(pp|c)$", recursive = TRUE)) { # .cc: made of a room's files
    if (any(headers %in% included(src, file))) {
      unlink(file.path(src, sub("[.]c(pp|c)$", ".o", file)))
    }
  }
}

install <- function(checkout, library_folder, ...) {
  options <- c(..., "--no-docs", "--no-byte-compile", "--no-test-load", "-l", library_folder)
  r <- file.path(R.home("bin"), "R")
  system2(r, c("CMD", "INSTALL", options, checkout), stdout = FALSE, stderr = FALSE) == 0
}

# Names of the tests of one file that fail; attribute `ended`: did it come to its end?
failing_tests <- function(file, library_folder) {
  script <- tempfile(fileext = ".R")
  result <- tempfile(fileext = ".rds")
  writeLines(c(
    sprintf(".libPaths(c(%s, .libPaths()))", deparse(library_folder)),
    "library(hmvn)",
    sprintf("r <- testthat::test_file(%s, package = 'hmvn',", deparse(file)),
    "  load_package = 'installed', reporter = 'silent', stop_on_failure = FALSE)",
    sprintf("saveRDS(as.data.frame(r), %s)", deparse(result))
  ), script)
  rscript <- shQuote(file.path(R.home("bin"), "Rscript"))
  limited <- sprintf("ulimit -t %d; exec %s %s", seconds_for_a_file, rscript, shQuote(script))
  system2("sh", c("-c", shQuote(limited)), stdout = FALSE, stderr = FALSE)
  if (!file.exists(result)) {
    return(structure(sprintf("%s: (does not end, or ends R)", basename(file)), ended = FALSE))
  }
  tests <- readRDS(result)
  failed <- sprintf("%s: %s", tests$file, tests$test)[tests$failed > 0 | tests$error]
  structure(unique(failed), ended = TRUE)
}

find_fault <- function(built, name, filter) {
  checkout <- file.path(tempfile("fault"), "hmvn")
  dir.create(dirname(checkout))
  on.exit(unlink(dirname(checkout), recursive = TRUE))
  system2("cp", c("-a", file.path(built, c("hmvn", "library")), dirname(checkout)))
  planted <- faults[[name]]
  if (!is.null(planted)) {
    plant(checkout, planted$replacements)
    remove_stale_objects(checkout, file.path("hmvn", names(planted$replacements)))
  }
  library_folder <- file.path(dirname(checkout), "library")
  libs_only <- if (!any(is_r(names(planted$replacements)))) "--libs-only"
  if (!is.null(planted) && !install(checkout, library_folder, libs_only)) {
    return("(does not compile)")
  }
  files <- list.files(file.path(checkout, "tests", "testthat"), "^test-.*[.]R$", full.names = TRUE)
  tests <- if (is.null(planted)) paste(tests_of, collapse = "|") else planted$tests
  chosen <- grepl(tests, basename(files)) & grepl(filter, basename(files))
  found <- character()
  for (file in files[chosen]) {
    failing <- failing_tests(file, library_folder)
    found <- c(found, failing)
    if (!attr(failing, "ended")) break # nor would others soon
  }
  found
}

main <- function(chosen = "", filter = "") {
  Sys.setenv(NOT_CRAN = "true")
  built <- tempfile("built") # the sources with their objects, and the package as installed
  dir.create(file.path(built, "library"), recursive = TRUE)
  system2("cp", c("-a", ".", file.path(built, "hmvn")))
  if (!install(file.path(built, "hmvn"), file.path(built, "library"))) {
    stop("the sources do not compile")
  }
  file <- "inst/validation/results/planted_faults.csv"
  for (name in grep(chosen, c("none", names(faults)), value = TRUE)) {
    started <- Sys.time()
    found_by <- find_fault(built, name, filter)
    seconds <- as.numeric(Sys.time() - started, units = "secs")
    cat(name, sprintf(" (%.0f s)\n", seconds), paste0("  ", found_by, "\n"), sep = "")
    save_results(file, data.frame(fault = name, found_by = c(found_by, "-"[!length(found_by)])))
  }
}

# Renews the rows of these faults; drops those of faults that are no more.
save_results <- function(file, rows) {
  kept <- if (file.exists(file)) read.csv(file)
  names <- c("none", names(faults))
  all <- rbind(kept[kept$fault %in% setdiff(names, rows$fault), ], rows)
  write.csv(all[order(match(all$fault, names)), ], file, row.names = FALSE)
}

if (sys.nframe() == 0L) do.call(main, as.list(commandArgs(TRUE)))
