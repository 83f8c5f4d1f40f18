// RcppParallel without its matrix wrappers, whose iterators derive from std::iterator, deprecated
// in C++17. Workers here read plain pointers.
#pragma once

#define __RCPP_PARALLEL_RMATRIX__
#include <RcppParallel.h>
