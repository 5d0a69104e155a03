// SPDX-License-Identifier: MIT
// One line for each compliance suite.
export {}
