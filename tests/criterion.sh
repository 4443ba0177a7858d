#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs one Criterion program as TAP on standard output.
exec "$@" --tap=- --quiet
