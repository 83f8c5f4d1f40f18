# Differences of groups as a picture.

#' @rdname compare_groups
#' @param quantity For `plot()`: names of the quantities to show, as in the column `quantity`;
#'   `NULL`: all that were compared.
#' @return `plot()`: a ggplot, a panel a quantity, each difference with the outermost of its
#'   quantiles; those whose interval leaves out zero are filled. Of more than `n` pairs in a panel
#'   those with the largest mean relative to its sd are shown, and so are 24 panels of more; the
#'   caption says so.
#' @export
plot.hmvn_comparison <- function(x, ..., quantity = NULL, n = 30) {
  call <- rlang::current_env()
  check_no_dots(..., known = names(formals()), call = call)
  check_comparison(x, call)
  require_package("ggplot2", "{.fn plot}", call)
  n <- check_count(n, "n", min = 1, call = call)
  if (!is.null(quantity)) check_choices(quantity, "quantity", unique(x$quantity), call)
  if (nrow(x) == 0L) {
    abort_hmvn(
      c("A picture of differences needs some.", x = "{.arg x} has no rows."),
      "argument", argument = "x", call = call
    )
  }
  ends <- quantile_columns(names(x))
  if (length(ends) < 2L) {
    abort_hmvn(
      c(
        "A picture of differences needs their intervals.",
        x = "The comparison has {length(ends)} quantile{?s}.",
        i = "Compare with {.code prob = c(0.05, 0.95)}, or the like."
      ),
      "argument", argument = "prob", call = call
    )
  }
  long <- comparison_intervals(as.data.frame(x), quantity, ends)
  n_panels <- nlevels(long$panel)
  long <- clearest_panels(long)
  shown <- do.call(rbind, lapply(split(long, long$panel), function(rows) {
    utils::head(rows[order(-abs(rows$mean) / rows$sd), ], n)
  }))
  aes <- ggplot2::aes
  picture <- ggplot2::ggplot(shown, aes(.data$mean, .data$pair)) +
    ggplot2::geom_vline(xintercept = 0, colour = "grey60") +
    ggplot2::geom_linerange(
      aes(xmin = .data$low, xmax = .data$high), colour = okabe_ito[[1L]], linewidth = 0.8
    ) +
    ggplot2::geom_point(
      aes(fill = .data$clear), shape = 21, colour = okabe_ito[[1L]], size = 2
    ) +
    ggplot2::scale_fill_manual(
      values = c("TRUE" = okabe_ito[[1L]], "FALSE" = "white"), guide = "none"
    ) +
    panels_by(shown, "panel", "free_x") +
    ggplot2::labs(x = "first group less second", y = NULL) + plain_theme()
  if (panel_columns(long$panel) > 3L) {
    picture <- picture +
      ggplot2::scale_y_discrete(labels = function(text) trim_names(text, 24)) +
      ggplot2::theme(axis.text.y = ggplot2::element_text(size = 7))
  }
  most <- max(table(long$panel))
  said <- c(
    if (n_panels > nlevels(long$panel)) {
      paste(nlevels(long$panel), "of", number(n_panels), "panels: those with the largest mean / sd")
    },
    if (most > n) {
      paste(number(n), "of", number(most), "pairs: the largest mean / sd of each panel")
    }
  )
  if (length(said)) picture + ggplot2::labs(caption = paste(said, collapse = "\n")) else picture
}

# internal -----------------------------------------------------------------

# A data frame mean, sd, low, high, clear (is zero outside?), pair and panel as factors in the order
# of the comparison.
comparison_intervals <- function(found, quantity, ends) {
  if (!is.null(quantity)) found <- found[found$quantity %in% quantity, ]
  of <- compared_names(found)
  panel <- trimws(paste(found$quantity, of))
  # one quantity needs no name in each panel
  if (length(unique(found$quantity)) == 1L && all(of != "")) panel <- of
  share <- as.numeric(sub("q", "", ends))
  low <- found[[ends[[which.min(share)]]]]
  high <- found[[ends[[which.max(share)]]]]
  pair <- paste(found$group, "-", found$reference)
  data.frame(
    mean = found$mean, sd = found$sd, low = low, high = high, clear = low > 0 | high < 0,
    pair = factor(pair, rev(unique(pair))), panel = factor(panel, unique(panel))
  )
}

# More panels than these could not be read.
clearest_panels <- function(long, most = 24L) {
  clearest <- tapply(abs(long$mean) / long$sd, long$panel, max)
  kept <- utils::head(order(-clearest), most)
  droplevels(long[as.integer(long$panel) %in% kept, ])
}
