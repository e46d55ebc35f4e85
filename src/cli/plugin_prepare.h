/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin's options, each right by itself, made into one request. */
#ifndef PLUGIN_PREPARE_H
#define PLUGIN_PREPARE_H

#include "plugin_options.h"

enum options_result plugin_prepare(
    struct plugin *plugin, struct lastack_request *request, struct text *text);

#endif
