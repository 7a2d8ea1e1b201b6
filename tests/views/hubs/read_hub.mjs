// What @gmod/ucsc-hub makes of a hub's text: its tracks as JSON. It throws where a key that
// must be there is missing, and where two tracks have one name.
// usage: node read_hub.mjs NODE_MODULES HUB.TXT

import fs from "node:fs";
import path from "node:path";
import {pathToFileURL} from "node:url";
import {createRequire} from "node:module";

const [modules, file] = process.argv.slice(2);
const require = createRequire(pathToFileURL(path.resolve(modules, "x")));
const {SingleFileHub} = require("@gmod/ucsc-hub");
const hub = new SingleFileHub(fs.readFileSync(file, "utf8"));
const tracks = {};
for (const [name, stanza] of Object.entries(hub.tracks.data)) tracks[name] = stanza.data;
process.stdout.write(JSON.stringify({hub: hub.hubData, genome: hub.genome.data, tracks}));
