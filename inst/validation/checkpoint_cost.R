# What checkpoints cost a long run: processor seconds spent on them, in % of all of the process.
# Writes results/checkpoint_cost.csv beside itself.
#
#   Rscript inst/validation/checkpoint_cost.R [minutes]

library(hmvn)

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
minutes <- as.numeric(c(commandArgs(trailingOnly = TRUE), 11)[[1]])

# Processor seconds of this process
spent <- function() sum(proc.time()[c("user.self", "sys.self")])

# The function of the package that pauses for a checkpoint, with a watch on it
saving <- 0
inner <- hmvn:::save_run
watched <- function(...) {
  began <- spent()
  on.exit(saving <<- saving + spent() - began)
  inner(...)
}
utils::assignInNamespace("save_run", watched, "hmvn")

set.seed(1)
data <- data.frame(g = rep(1:100, each = 20), matrix(stats::rnorm(6000), 2000))
run <- function(iterations, folder) {
  suppressMessages(suppressWarnings(fit_hmvn(
    data, ~g, pooling = "partial", chains = 2, iter_sampling = iterations, seed = 1,
    progress = FALSE, checkpoint = folder
  )))
}

# iterations that take as long as asked for
seconds <- system.time(run(1000, NULL))[["elapsed"]]
iterations <- ceiling(minutes * 60 / seconds * 2000) - 1000

saving <- 0
folder <- tempfile("cost-")
began <- spent()
took <- system.time(fit <- run(iterations, folder))[["elapsed"]]
parts <- list.files(folder, "^part-", full.names = TRUE)
result <- data.frame(
  minutes = took / 60, iterations = iterations, parts = length(parts),
  megabytes = sum(file.size(parts)) / 1e6, processor_seconds = spent() - began,
  saving_seconds = saving, percent = 100 * saving / (spent() - began)
)
print(result)
path <- file.path(here, "results", "checkpoint_cost.csv")
utils::write.csv(signif(result, 4), path, row.names = FALSE)
