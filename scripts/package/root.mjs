// An empty machine: a root folder with Node, npm, a shell and nothing else, entered by chroot as a user without files.
// Where chroot is not possible, only PATH, HOME and npm's cache are empty.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { answers, capture } from '../lib/process.mjs';

const USER = 54321;
/** How this machine enters a root; undefined if it can't. */
const ENTER =
  process.platform !== 'linux'
    ? undefined
    : [
        ['unshare', '--mount'],
        ['unshare', '--user', '--map-root-user', '--mount'],
      ].find(([command, ...args]) => answers(command, [...args, 'true']));

/** Variables that npm needs to reach its registry from here. */
const NETWORK = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

export class BareRoot {
  /** Makes the root in an empty folder. */
  constructor(folder) {
    this.folder = folder;
    this.isolated = ENTER !== undefined;
    rmSync(folder, { recursive: true, force: true });
    this.home = this.makeFolder('/home/user');
    this.makeFolder('/tmp', 0o1777);
    this.certificates = this.copyCertificates();
    this.registry = spawnSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).stdout.trim();
    const npm = dirname(
      dirname(realpathSync(spawnSync('which', ['npm'], { encoding: 'utf8' }).stdout.trim())),
    );
    cpSync(npm, this.inside('/usr/lib/npm'), { recursive: true, dereference: true });
    this.makeFolder('/usr/bin');
    for (const name of ['npm', 'npx']) {
      symlinkSync(`../lib/npm/bin/${name}-cli.js`, this.inside(`/usr/bin/${name}`));
    }
    for (const program of ['sh', 'env']) this.addProgram(program);
    if (this.isolated) this.addSystem();
  }

  /** The path outside of a path inside. */
  inside(path) {
    return join(this.folder, path);
  }

  /** Makes a folder that everybody may write; returns its path inside. */
  makeFolder(path, mode = 0o777) {
    mkdirSync(this.inside(path), { recursive: true });
    chmodSync(this.inside(path), mode);
    return path;
  }

  /** Adds a Node from its package on npm. */
  async addNode(version) {
    const folder = this.makeFolder(`/opt/node-${version}/bin`);
    const system = { win32: 'win' }[process.platform] ?? process.platform;
    const name = `node-${system}-${process.arch}@${version}`;
    const pack = ['pack', name, '--silent', '--pack-destination', this.inside('/opt')];
    const { code, output } = await capture('npm', pack, { quiet: true });
    if (code !== 0) throw new Error(`npm pack ${name}: ${output}`);
    const tarball = join(this.inside('/opt'), output.trim().split('\n').at(-1));
    await capture('tar', ['-xzf', tarball, '--strip-components=1', '-C', dirname(this.inside(folder))]);
    rmSync(tarball);
    this.addLibraries(this.inside(`${folder}/node`));
    return version;
  }

  /** Runs a command in a folder, with the given Node. Returns its exit code and output. */
  async run(node, folder, command, args, env = {}) {
    const path = [`/opt/node-${node}/bin`, '/usr/bin'];
    const inside = this.isolated ? path : path.map((entry) => this.inside(entry));
    const home = this.isolated ? this.home : this.inside(this.home);
    const all = {
      PATH: inside.join(delimiter),
      HOME: home,
      npm_config_registry: this.registry,
      npm_config_fund: 'false',
      npm_config_audit: 'false',
      npm_config_update_notifier: 'false',
      ...(this.certificates && {
        NODE_EXTRA_CA_CERTS: this.isolated ? '/etc/ssl/ca.pem' : this.certificates,
      }),
      ...Object.fromEntries(
        NETWORK.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
      ),
      ...env,
    };
    const words = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    const [program, ...before] = this.isolated
      ? [...ENTER, 'sh', '-c', SCRIPT, 'sh', this.folder, String(USER), folder]
      : ['env', '-i', '-C', this.inside(folder)];
    const entered = this.isolated ? ['/usr/bin/env', '-i'] : [];
    return capture(program, [...before, ...entered, ...words, command, ...args], { quiet: true });
  }

  copyCertificates() {
    const bundle = [
      process.env.NODE_EXTRA_CA_CERTS,
      process.env.SSL_CERT_FILE,
      '/etc/ssl/certs/ca-certificates.crt',
    ].find((file) => file && existsSync(file));
    if (bundle === undefined) return undefined;
    this.makeFolder('/etc/ssl');
    copyFileSync(bundle, this.inside('/etc/ssl/ca.pem'));
    return bundle;
  }

  addProgram(name) {
    const file = spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim();
    copyFileSync(realpathSync(file), this.inside(`/usr/bin/${name}`));
    this.addLibraries(file);
  }

  /** Copies the shared libraries that a program needs. */
  addLibraries(file) {
    if (!this.isolated) return;
    const { stdout } = spawnSync('ldd', [file], { encoding: 'utf8' });
    for (const [, library] of stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(/gm)) {
      const place = this.inside(library);
      if (existsSync(place)) continue;
      mkdirSync(dirname(place), { recursive: true });
      copyFileSync(realpathSync(library), place);
    }
  }

  addSystem() {
    for (const folder of ['proc', 'dev']) mkdirSync(this.inside(folder));
    symlinkSync('usr/bin', this.inside('/bin'));
    this.makeFolder('/etc');
    for (const file of ['resolv.conf', 'hosts', 'nsswitch.conf']) {
      if (existsSync(`/etc/${file}`)) copyFileSync(`/etc/${file}`, this.inside(`/etc/${file}`));
    }
    writeFileSync(this.inside('/etc/passwd'), `user:x:${USER}:${USER}::${this.home}:/bin/sh\n`);
    // The rest of the C library: name resolution, and parts that libtorch names.
    const folder = dirname(
      spawnSync('ldd', ['/bin/sh'], { encoding: 'utf8' }).stdout.match(/=> (\S+libc\.\S+)/)[1],
    );
    for (const file of readdirSync(folder).filter((name) =>
      /^lib(nss_(dns|files)|resolv|rt|dl|pthread|util|m)\.so/.test(name),
    )) {
      if (!existsSync(this.inside(join(folder, file)))) {
        copyFileSync(realpathSync(join(folder, file)), this.inside(join(folder, basename(file))));
      }
    }
  }
}

/** Enters the root as the user. In a user namespace of its own there is only the one user. */
const SCRIPT = `
root=$1; user=$2; folder=$3; shift 3
mount --rbind /proc "$root/proc" && mount --rbind /dev "$root/dev" || exit 1
if chroot --userspec="$user:$user" "$root" /usr/bin/env >/dev/null 2>&1
then exec chroot --userspec="$user:$user" "$root" /usr/bin/env -C "$folder" "$@"
else exec chroot "$root" /usr/bin/env -C "$folder" "$@"
fi`;
