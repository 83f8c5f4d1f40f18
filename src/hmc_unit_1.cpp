#include "features_compiled.h"

HMVN_COMPILE_FOR(1)
