package carafe.engine;

import carafe.build.source.Remotes;
import carafe.spec.EngineException;
import carafe.spec.build.BuildContexts;
import carafe.spec.build.GitAddress;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Repositories by the host's git, which gets no file of anybody's to read but what it fetched itself: a bare repository
/// in a private directory, no configuration of the host's or a user's, no templates, hooks, filters or working tree. What
/// is fetched leaves it as a tar. Only http, https, ssh and git are spoken; words of a Dockerfile are never options.
/// Submodules are fetched the same way, one by one: git itself never follows `.gitmodules`.
/// Source: git(1), git-fetch(1), git-archive(1), gitmodules(5); ADR 34.
final class GitProgram {

    private static final int MOST_SUBMODULES = 256;
    private static final int DEEPEST_SUBMODULE = 8;
    private static final int MAX_LISTING = 16 << 20;

    private final Path directory;
    private final GitProcess process;

    /// `directory` is its own; what a crash left there is deleted. `knownHosts` keeps the keys that ssh hosts showed first.
    private GitProgram(Path directory, GitProcess process) {
        this.directory = directory;
        this.process = process;
    }

    static GitProgram open(Path directory, Path knownHosts) throws EngineException {
        try {
            if (Files.exists(directory)) {
                Remover.deleteTree(directory);
            }
            Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(
                    PosixFilePermissions.fromString("rwx------")));
            return new GitProgram(directory, new GitProcess(knownHosts));
        } catch (IOException e) {
            throw Failures.io("cannot open the directory of fetched repositories, " + directory, e);
        }
    }

    /// What is wanted of a repository.
    record Wanted(GitAddress address, String commit, boolean keepGit) {}

    /// How a repository is reached: by which protocols (the only ones that git speaks then, also where it is led on),
    /// through a proxy (a URL), with an Authorization header, with an ssh agent's socket; the last three may be `""`.
    record Way(List<String> protocols, String proxy, String header, String agent) {}

    /// Finds the way to a repository.
    @FunctionalInterface
    interface Ways {
        Way to(GitAddress address) throws EngineException.Invalid;
    }

    /// The commit that the address's ref means: of names that are alike a branch before a tag, as git checks out.
    String commit(GitAddress address, Way way) throws EngineException, InterruptedException {
        return in(place -> {
            String ref = address.ref().isEmpty() ? "HEAD" : address.ref();
            var refs = refs(place, address, way, ref);
            for (String name : names(ref)) {
                String commit = refs.get(name);
                if (commit != null) {
                    return commit;
                }
            }
            throw new EngineException.Invalid("the repository " + address.url() + " has no branch, tag or commit " + ref);
        });
    }

    private static List<String> names(String ref) {
        return ref.equals("HEAD") || ref.startsWith("refs/") ? List.of(ref + "^{}", ref)
                : List.of("refs/heads/" + ref, "refs/tags/" + ref + "^{}", "refs/tags/" + ref, "refs/" + ref);
    }

    private Map<String, String> refs(Path place, GitAddress address, Way way, String ref)
            throws EngineException, InterruptedException {
        byte[] listing = process.run(new GitProcess.Call(place, way, "look at " + address), MAX_LISTING,
                "ls-remote", "--", address.url(), ref, ref + "^{}");
        var refs = new HashMap<String, String>();
        for (String line : new String(listing, StandardCharsets.UTF_8).split("\n")) {
            int tab = line.indexOf('\t');
            if (tab > 0 && line.substring(0, tab).matches("[0-9a-f]{40}|[0-9a-f]{64}")) {
                refs.put(line.substring(tab + 1), line.substring(0, tab));
            }
        }
        return refs;
    }

    /// Fetches a commit and hands over its files, then those of its submodules, then its repository.
    void checkout(Wanted wanted, Ways ways, Remotes.Receiver receiver) throws EngineException, InterruptedException {
        in(place -> {
            var left = new int[] {MOST_SUBMODULES};
            try {
                handOver(wanted, "", place, new Walk(ways, receiver, left, 0));
                return "";
            } catch (IOException e) {
                throw Failures.io("cannot take over the files of " + wanted.address, e);
            }
        });
    }

    private record Walk(Ways ways, Remotes.Receiver receiver, int[] left, int depth) {}

    private void handOver(Wanted wanted, String prefix, Path place, Walk walk)
            throws EngineException, IOException, InterruptedException {
        Path repository = Files.createDirectory(place.resolve("repository"));
        var call = new GitProcess.Call(repository, walk.ways.to(wanted.address), "fetch " + wanted.address);
        process.run(call, 0, "init", "-q", "--bare", "--template=", ".");
        Files.createDirectories(repository.resolve("info"));
        Files.writeString(repository.resolve("info/attributes"),
                "* -export-ignore -export-subst -filter\n");
        fetch(call, wanted);
        try (InputStream tar = process.open(call, place.resolve("tar"), "-c", "tar.umask=0022", "archive", "--format=tar",
                "--prefix=" + prefix, wanted.commit)) {
            walk.receiver.tar(tar);
        }
        if (wanted.address.submodules()) {
            submodules(wanted, prefix, call, walk);
        }
        if (wanted.keepGit) {
            keep(wanted, prefix, call, walk.receiver);
        }
    }

    /// Gets the commit with nothing before it; where the server does not give what it has no name for, by its name; at
    /// last with all branches and tags.
    private void fetch(GitProcess.Call call, Wanted wanted) throws EngineException, InterruptedException {
        String url = wanted.address.url();
        if (fetched(call, wanted.commit, "--depth=1", "--", url, wanted.commit)) {
            return;
        }
        for (String name : names(wanted.address.ref().isEmpty() ? "HEAD" : wanted.address.ref())) {
            if (!name.endsWith("^{}") && !wanted.address.isCommit()
                    && fetched(call, wanted.commit, "--depth=1", "--", url, name)) {
                return;
            }
        }
        process.run(call, 0, "fetch", "-q", "--no-tags", "--no-recurse-submodules", "--", url, "+refs/heads/*:refs/x/heads/*",
                "+refs/tags/*:refs/x/tags/*");
        if (!has(call, wanted.commit)) {
            throw new EngineException.Invalid("the repository " + url + " has no commit " + wanted.commit);
        }
    }

    private boolean fetched(GitProcess.Call call, String commit, String... words)
            throws EngineException, InterruptedException {
        var all = new ArrayList<>(List.of("fetch", "-q", "--no-tags", "--no-recurse-submodules"));
        all.addAll(List.of(words));
        return process.succeeds(call, all.toArray(String[]::new)) && has(call, commit);
    }

    private boolean has(GitProcess.Call call, String commit) throws EngineException, InterruptedException {
        return process.succeeds(call, "cat-file", "-e", commit + "^{commit}");
    }

    private void submodules(Wanted wanted, String prefix, GitProcess.Call call, Walk walk)
            throws EngineException, IOException, InterruptedException {
        var links = links(call, wanted.commit);
        if (links.isEmpty()) {
            return;
        }
        var urls = urls(call, wanted.commit);
        for (var link : links.entrySet()) {
            String url = urls.get(link.getKey());
            if (url == null) {
                continue; // git makes an empty directory of it, too
            }
            if (--walk.left[0] < 0 || walk.depth == DEEPEST_SUBMODULE) {
                throw new EngineException.Invalid(wanted.address + " has more than " + MOST_SUBMODULES
                        + " submodules, or they are nested deeper than " + DEEPEST_SUBMODULE);
            }
            var address = submodule(wanted.address, link.getKey(), url);
            Path place = Files.createTempDirectory(directory, "");
            try {
                handOver(new Wanted(address, link.getValue(), false), prefix + link.getKey() + "/", place,
                        new Walk(walk.ways, walk.receiver, walk.left, walk.depth + 1));
            } finally {
                Remover.deleteTree(place);
            }
        }
    }

    /// Where a submodule lies. One of a repository of the web must not lead to another transport's world, and one of a
    /// repository that is read safely not to where anybody on the way can listen.
    static GitAddress submodule(GitAddress parent, String path, String url) throws EngineException.Invalid {
        String whole = url.startsWith("./") || url.startsWith("../") ? beside(parent.url(), url).orElseThrow(() ->
                new EngineException.Invalid("the submodule " + path + " of " + parent.url() + " leads out of it: " + url))
                : url;
        if (!BuildContexts.isRemote(whole) || whole.matches("(?s).*[\\s?#].*")) {
            throw new EngineException.Invalid("the submodule " + path + " of " + parent.url() + " lies at \"" + url
                    + "\", which is no place that is fetched from");
        }
        boolean webOnly = parent.url().startsWith("http");
        String named = whole.startsWith("http") && !whole.endsWith(".git") ? whole + ".git" : whole;
        var address = GitAddress.parse(named).orElseThrow(() -> new EngineException.Invalid("the submodule " + path + " of "
                + parent.url() + " lies at no repository: " + url));
        if (webOnly && address.ssh()) {
            throw new EngineException.Invalid("the submodule " + path + " of " + parent.url() + " lies behind ssh (" + url
                    + "); add it apart, or say submodules=false in the address");
        }
        if (parent.url().startsWith("https:") && address.url().startsWith("http:")) {
            throw new EngineException.Invalid("the submodule " + path + " of " + parent.url() + " is fetched in clear text ("
                    + url + "), the repository itself by https; add it apart, or say submodules=false in the address");
        }
        return new GitAddress(whole.equals(named) ? address.url() : address.url().substring(0, address.url().length() - 4),
                Optional.empty(), "", "", Optional.empty(), Optional.empty(), true);
    }

    /// Where `relative` (`./` and `../` in front) is, seen from a repository; empty when that is above its host's root.
    static Optional<String> beside(String url, String relative) {
        int host = url.contains("://") ? url.indexOf('/', url.indexOf("://") + 3) : url.indexOf(':');
        var names = new ArrayDeque<String>();
        for (String name : url.substring(host + 1).split("/")) {
            if (!name.isEmpty()) {
                names.addLast(name);
            }
        }
        for (String name : relative.split("/")) {
            if (name.equals("..") && names.pollLast() == null) {
                return Optional.empty();
            }
            if (!name.isEmpty() && !name.equals(".") && !name.equals("..")) {
                names.addLast(name);
            }
        }
        return names.isEmpty() ? Optional.empty() : Optional.of(url.substring(0, host + 1) + String.join("/", names));
    }

    /// The submodules of a commit: path to commit.
    private Map<String, String> links(GitProcess.Call call, String commit) throws EngineException, InterruptedException {
        byte[] tree = process.run(call, MAX_LISTING, "ls-tree", "-r", "-z", "--full-tree", commit);
        var links = new TreeMap<String, String>();
        for (String line : new String(tree, StandardCharsets.UTF_8).split("\0")) {
            int tab = line.indexOf('\t');
            if (tab > 0 && line.startsWith("160000 commit ")) {
                links.put(line.substring(tab + 1), line.substring("160000 commit ".length(), tab));
            }
        }
        return links;
    }

    /// What `.gitmodules` of a commit says: path to URL.
    private Map<String, String> urls(GitProcess.Call call, String commit) throws EngineException, InterruptedException {
        if (!process.succeeds(call, "cat-file", "-e", commit + ":.gitmodules")) {
            return Map.of();
        }
        byte[] config = process.run(call, MAX_LISTING, "config", "--no-includes", "--blob", commit + ":.gitmodules", "-z",
                "--list"); // an include of a stranger's would be a file of the host
        var paths = new LinkedHashMap<String, String>();
        var urls = new HashMap<String, String>();
        for (String entry : new String(config, StandardCharsets.UTF_8).split("\0")) {
            int newline = entry.indexOf('\n');
            String key = newline < 0 ? entry : entry.substring(0, newline);
            String value = newline < 0 ? "" : entry.substring(newline + 1);
            if (key.startsWith("submodule.") && key.endsWith(".path")) {
                paths.put(key.substring(0, key.length() - ".path".length()), value);
            } else if (key.startsWith("submodule.") && key.endsWith(".url")) {
                urls.put(key.substring(0, key.length() - ".url".length()), value);
            }
        }
        var found = new HashMap<String, String>();
        paths.forEach((module, path) -> {
            String url = urls.get(module);
            if (url != null) {
                found.put(path, url);
            }
        });
        return found;
    }

    /// Makes the bare repository one that has a working tree, at the commit, and hands it over.
    private void keep(Wanted wanted, String prefix, GitProcess.Call call, Remotes.Receiver receiver)
            throws EngineException, IOException, InterruptedException {
        process.run(call, 0, "update-ref", "--no-deref", "HEAD", wanted.commit);
        process.run(call, 0, "read-tree", wanted.commit);
        process.run(call, 0, "config", "core.bare", "false");
        process.run(call, 0, "config", "remote.origin.url", wanted.address.url());
        process.run(call, 0, "config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*");
        Files.delete(call.directory().resolve("info/attributes"));
        Files.deleteIfExists(call.directory().resolve("FETCH_HEAD"));
        receiver.directory(prefix + ".git", call.directory());
    }

    /// Work in a directory of its own.
    private interface Work {
        String in(Path place) throws EngineException, InterruptedException;
    }

    private String in(Work work) throws EngineException, InterruptedException {
        Path place;
        try {
            place = Files.createTempDirectory(directory, "");
        } catch (IOException e) {
            throw Failures.io("cannot make a directory in " + directory, e);
        }
        try {
            return work.in(place);
        } finally {
            try {
                Remover.deleteTree(place);
            } catch (IOException e) {
                GitProcess.LOG.warn("the directory {} of a fetched repository was not removed", place, e);
            }
        }
    }
}
