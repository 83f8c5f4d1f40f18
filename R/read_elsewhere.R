# Data that are no data frame: what reads them gives statistics, and no rows are kept.

# internal -----------------------------------------------------------------

# list(statistics, weights), the latter the name of their column or NULL; NULL where `data` are no
# such thing. `columns`: quosures by role.
read_elsewhere <- function(data, columns, cores, call) {
  if (is_engine_table(data)) {
    engine_statistics(data, columns, call)
  } else if (is_chunk_source(data)) {
    chunk_statistics(data, columns, cores, call)
  }
}
