// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

// Packages resolve to their TypeScript sources, so that nothing need be built. Who installs them needs no configuration.
const conditions = ["skep-source", "node"];

export default defineConfig({ resolve: { conditions }, ssr: { resolve: { conditions } } });
