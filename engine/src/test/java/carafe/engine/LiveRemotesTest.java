package carafe.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import carafe.build.source.Checkout;
import carafe.build.source.Contexts;
import carafe.build.source.Remotes;
import carafe.build.tree.ContextArchive;
import carafe.build.tree.Scratch;
import carafe.build.tree.Node;
import carafe.spec.EngineException;
import carafe.spec.build.GitAddress;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Repositories and files that builds fetch, from servers on this machine, friendly ones and others.
@Timeout(120)
class LiveRemotesTest {

    private static final Remotes.Proof NOTHING = new Remotes.Proof(Map.of(), Map.of());

    @TempDir
    private Path directory;

    private GitRepositories repositories;
    private LiveRemotes remotes;

    @BeforeEach
    void start() throws Exception {
        repositories = new GitRepositories(directory.resolve("served"));
        remotes = new LiveRemotes(NoRegistries.remote().registries(),
                GitProgram.open(directory.resolve("git"), directory.resolve("known_hosts")));
    }

    @AfterEach
    void nothingIsLeft() {
        remotes.registries().close();
        repositories.close();
        assertThat(directory.resolve("git")).isEmptyDirectory();
    }

    private static GitAddress address(String text) throws Exception {
        return GitAddress.parse(text).orElseThrow();
    }

    private ContextArchive checkout(String text, boolean keepGit) throws Exception {
        var address = address(text);
        var archive = ContextArchive.empty(Scratch.of(directory));
        String commit = Contexts.commit(remotes, address, Optional.empty(), NOTHING);
        remotes.checkout(address, commit, keepGit, NOTHING, new Checkout(archive));
        return archive;
    }

    private static String text(ContextArchive files, String path) throws Exception {
        return new String(files.read(path, 1 << 20).orElseThrow(() -> new AssertionError("no " + path)),
                StandardCharsets.UTF_8);
    }

    @Test
    void aRefMeansWhatGitTakesItFor() throws Exception {
        Path made = repositories.init("r");
        String first = GitRepositories.commit(made);
        GitRepositories.git(made, "tag", "-a", "-m", "x", "v1");
        GitRepositories.git(made, "tag", "both");
        String second = GitRepositories.commit(made);
        GitRepositories.git(made, "branch", "both");
        GitRepositories.git(made, "branch", "side/way", first);
        String url = repositories.url("r");
        assertThat(remotes.commit(address(url), NOTHING)).isEqualTo(second);
        assertThat(remotes.commit(address(url + "#v1"), NOTHING)).isEqualTo(first);
        assertThat(remotes.commit(address(url + "#both"), NOTHING)).isEqualTo(second);
        assertThat(remotes.commit(address(url + "?tag=both"), NOTHING)).isEqualTo(first);
        assertThat(remotes.commit(address(url + "?tag=v1"), NOTHING)).isEqualTo(first);
        assertThat(remotes.commit(address(url + "#side/way"), NOTHING)).isEqualTo(first);
        assertThatThrownBy(() -> remotes.commit(address(url + "#no"), NOTHING)).isInstanceOf(EngineException.Invalid.class)
                .hasMessage("the repository " + url + " has no branch, tag or commit no");
        assertThatThrownBy(() -> remotes.commit(address(repositories.url("none")), NOTHING))
                .isInstanceOf(EngineException.Unavailable.class).hasMessageContaining("cannot look at");
        try (var old = checkout(url + "#" + first, false)) {
            assertThat(old.size()).isZero();
        }
    }

    @Test
    void theFilesAreTheCommits() throws Exception {
        Path made = repositories.init("r");
        Files.writeString(made.resolve("f"), "$Format:%H$");
        Files.writeString(Files.createDirectory(made.resolve("d")).resolve("run"), "x").toFile().setExecutable(true, false);
        Files.createSymbolicLink(made.resolve("out"), Path.of("/etc/passwd"));
        Files.writeString(made.resolve(".gitattributes"), "f export-subst\nd export-ignore\n* filter=evil\n");
        GitRepositories.commit(made);
        try (var files = checkout(repositories.url("r"), false)) {
            assertThat(text(files, "f")).isEqualTo("$Format:%H$");
            assertThat(files.find("f").orElseThrow().mode()).isEqualTo(0644);
            assertThat(files.find("d/run").orElseThrow().mode()).isEqualTo(0755);
            assertThat(files.find("d").orElseThrow().mode()).isEqualTo(0755);
            assertThat(files.find("out").orElseThrow().type()).isEqualTo(Node.Type.SYMLINK);
            assertThat(files.follow("out")).isEmpty();
            assertThat(files.find(".git")).isEmpty();
        }
    }

    @Test
    void theRepositoryComesAlongWhereItIsAskedFor() throws Exception {
        Path made = repositories.init("r");
        Files.writeString(made.resolve("f"), "text");
        GitRepositories.commit(made);
        Files.writeString(made.resolve("f"), "later");
        String commit = GitRepositories.commit(made);
        Path copy = Files.createDirectory(directory.resolve("copy"));
        try (var files = checkout(repositories.url("r"), true)) {
            write(files, "", copy);
        }
        assertThat(GitRepositories.git(copy, "status", "--porcelain")).isEmpty();
        assertThat(GitRepositories.git(copy, "rev-parse", "HEAD")).isEqualTo(commit);
        assertThat(GitRepositories.git(copy, "rev-list", "--count", "HEAD")).isEqualTo("1"); // nothing of before
        assertThat(GitRepositories.git(copy, "config", "remote.origin.url")).isEqualTo(repositories.url("r"));
        assertThat(copy.resolve(".git/hooks")).doesNotExist();
    }

    private static void write(ContextArchive files, String at, Path target) throws IOException {
        for (var node : files.list(at)) {
            Path path = target.resolve(node.path());
            if (node.isDirectory()) {
                Files.createDirectories(path);
                write(files, node.path(), target);
            } else {
                try (var in = files.open(node)) {
                    Files.copy(in, path);
                }
            }
        }
    }

    /// Adds a submodule as `.gitmodules` may describe it, whether there is one or not.
    private static void submodule(Path repository, String path, String url, String commit) throws Exception {
        Files.writeString(repository.resolve(".gitmodules"), "[submodule \"s\"]\n\tpath = " + path + "\n\turl = \"" + url
                + "\"\n");
        GitRepositories.git(repository, "add", ".gitmodules");
        GitRepositories.git(repository, "update-index", "--add", "--cacheinfo", "160000," + commit + "," + path);
        GitRepositories.git(repository, "commit", "-q", "-m", "submodule");
    }

    @Test
    void submodulesComeAlongUnlessNobodyWantsThem() throws Exception {
        Path inner = repositories.init("deep/inner");
        Files.writeString(inner.resolve("i"), "inner");
        String innermost = GitRepositories.commit(inner);
        Path middle = repositories.init("deep/middle");
        Files.writeString(middle.resolve("m"), "middle");
        GitRepositories.commit(middle);
        submodule(middle, "in/side", "../inner", innermost);
        Path outer = repositories.init("outer");
        submodule(outer, "lib", repositories.url("deep/middle"), GitRepositories.git(middle, "rev-parse", "HEAD"));
        try (var files = checkout(repositories.url("outer"), false)) {
            assertThat(text(files, "lib/m")).isEqualTo("middle");
            assertThat(text(files, "lib/in/side/i")).isEqualTo("inner");
        }
        try (var files = checkout(repositories.url("outer") + "?submodules=false", false)) {
            assertThat(files.find("lib/m")).isEmpty();
        }
    }

    /// CVE-2017-1000117, 2018-17456 (options in a submodule's URL), 2022-39253 and 2024-32002 (files and links of the host
    /// through one), `ext::` (programs).
    @ParameterizedTest
    @ValueSource(strings = {"ext::touch %S", "file:///etc", "/etc", "--upload-pack=touch x", "-u./x", "ssh://-oProxyCommand=x/r",
        "../../../../x", "fd::3", "git@-x:r", "https://h/r.git#-x"})
    void aSubmoduleCannotLeadToPrograms(String url) throws Exception {
        Path made = repositories.init("r");
        GitRepositories.commit(made);
        submodule(made, "s", url, "0123456789abcdef0123456789abcdef01234567");
        assertThatThrownBy(() -> checkout(repositories.url("r"), false)).isInstanceOf(EngineException.Invalid.class)
                .hasMessageContaining("s");
    }

    @Test
    void aLinkInPlaceOfADirectoryLeadsNowhereOutside() throws Exception { // CVE-2024-32002, 2021-21300
        Path made = repositories.init("r");
        Files.createSymbolicLink(made.resolve("a"), Path.of(".git"));
        Files.createDirectories(made.resolve("A/hooks"));
        Files.writeString(made.resolve("A/hooks/post-checkout"), "#!/bin/sh\ntouch " + directory.resolve("ran") + "\n")
                .toFile().setExecutable(true, false);
        GitRepositories.commit(made);
        try (var files = checkout(repositories.url("r"), true)) {
            assertThat(files.find(".git/hooks")).isEmpty();
            assertThat(files.find("A/hooks/post-checkout")).isPresent();
        }
        assertThat(directory.resolve("ran")).doesNotExist();
    }

    @Test
    void anInterruptEndsGitAndAllItStarted() throws Exception {
        try (var silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            var failure = new CopyOnWriteArrayList<Exception>();
            var asked = address("git://127.0.0.1:" + silent.getLocalPort() + "/r");
            var thread = Thread.ofVirtual().start(() -> {
                try {
                    remotes.commit(asked, NOTHING);
                } catch (Exception e) {
                    failure.add(e);
                }
            });
            try (var _ = silent.accept()) { // git is there and waits
                thread.interrupt();
                assertThat(thread.join(Duration.ofSeconds(60))).isTrue();
            }
            assertThat(failure).singleElement().isInstanceOf(InterruptedException.class);
            assertThat(ProcessHandle.current().descendants().filter(child -> child.info().commandLine().orElse("")
                    .contains(asked.url()))).isEmpty();
        }
    }

    /// A server that writes down who asked, and answers by `Location` where the path begins with `/to`.
    private static HttpServer server(List<String> heard, String location) throws IOException {
        var server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            heard.add(exchange.getRequestURI().getPath() + " "
                    + exchange.getRequestHeaders().getOrDefault("Authorization", List.of("nobody")).getFirst());
            if (exchange.getRequestURI().getPath().startsWith("/to")) {
                exchange.getResponseHeaders().set("Location", location + "/there");
                exchange.sendResponseHeaders(302, -1);
            } else if (exchange.getRequestURI().getPath().contains(".git")) {
                exchange.sendResponseHeaders(404, -1);
            } else if ("\"v1\"".equals(exchange.getRequestHeaders().getFirst("If-None-Match"))) {
                exchange.sendResponseHeaders(304, -1);
            } else {
                exchange.getResponseHeaders().set("ETag", "\"v1\"");
                exchange.getResponseHeaders().set("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT");
                exchange.sendResponseHeaders(200, 4);
                exchange.getResponseBody().write("text".getBytes(StandardCharsets.UTF_8));
            }
            exchange.close();
        });
        server.start();
        return server;
    }

    private static String at(HttpServer server) {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    @Test
    void whoAsksIsToldToTheirOwnHostOnly() throws Exception {
        var home = new CopyOnWriteArrayList<String>();
        var away = new CopyOnWriteArrayList<String>();
        var other = server(away, "");
        var own = server(home, at(other));
        try {
            var proof = new Remotes.Proof(Map.of("HTTP_AUTH_TOKEN_127.0.0.1", bytes("t0k"), "HTTP_AUTH_TOKEN_elsewhere",
                    bytes("no"), "GIT_AUTH_TOKEN", bytes("g1t")), Map.of());
            try (var file = remotes.file(at(own) + "/to/x", Optional.empty(), proof)) {
                assertThat(file.body().readAllBytes()).isEqualTo(bytes("text"));
                assertThat(file.version()).contains("\"v1\"");
                assertThat(file.modified()).contains("Wed, 21 Oct 2015 07:28:00 GMT");
            }
            try (var file = remotes.file(at(own) + "/x", Optional.of("\"v1\""), proof)) {
                assertThat(file.unchanged()).isTrue();
            }
            assertThat(home).containsExactly("/to/x Bearer t0k", "/x Bearer t0k");
            assertThat(away).containsExactly("/there nobody");
            home.clear();
            away.clear();
            assertThatThrownBy(() -> remotes.commit(address(at(own) + "/to/r.git"), proof))
                    .isInstanceOf(EngineException.Unavailable.class).hasMessageNotContaining("g1t");
            assertThatThrownBy(() -> remotes.commit(address(at(own) + "/r.git"), NOTHING))
                    .isInstanceOf(EngineException.Unavailable.class);
            assertThat(home.getFirst()).startsWith("/to/r.git/info/refs basic ");
            assertThat(home.getLast()).endsWith(" nobody");
            assertThat(away).isEmpty();
        } finally {
            own.stop(0);
            other.stop(0);
        }
    }

    @Test
    void anIncludeOfAStrangerReadsNoFileOfTheHost() throws Exception {
        Path inner = repositories.init("inner");
        Files.writeString(inner.resolve("i"), "inner");
        String commit = GitRepositories.commit(inner);
        Path secret = Files.writeString(directory.resolve("secret"), "[submodule \"s\"]\n\turl = \"" + repositories.url("inner")
                + "\"\n");
        Path made = repositories.init("r");
        Files.writeString(made.resolve(".gitmodules"), "[include]\n\tpath = " + secret + "\n[submodule \"s\"]\n\tpath = in\n");
        GitRepositories.git(made, "add", ".gitmodules");
        GitRepositories.git(made, "update-index", "--add", "--cacheinfo", "160000," + commit + ",in");
        GitRepositories.git(made, "commit", "-q", "-m", "include");
        try (var files = checkout(repositories.url("r"), false)) {
            assertThat(files.find("in/i")).as("found by a file of the host").isEmpty();
            assertThat(files.find(".gitmodules")).isPresent();
        }
    }

    @Test
    void aRepositorysOwnWordsLeadNoSecretAway() throws Exception {
        var heard = new CopyOnWriteArrayList<String>();
        var server = server(heard, "");
        try {
            int port = server.getAddress().getPort();
            Path made = repositories.init("r");
            GitRepositories.commit(made);
            submodule(made, "s", at(server) + "/r.git", "0123456789abcdef0123456789abcdef01234567");
            var proof = new Remotes.Proof(Map.of("GIT_AUTH_TOKEN.127.0.0.1", bytes("t0k"), "GIT_AUTH_TOKEN.127.0.0.1:" + port,
                    bytes("t1k"), "GIT_AUTH_HEADER", bytes("g1t")), Map.of());
            var address = address(repositories.url("r"));
            try (var archive = ContextArchive.empty(Scratch.of(directory))) {
                assertThatThrownBy(() -> remotes.checkout(address, GitRepositories.git(made, "rev-parse", "HEAD"), false,
                        proof, new Checkout(archive))).isInstanceOf(EngineException.Unavailable.class);
            }
            assertThat(heard).isNotEmpty().allSatisfy(line -> assertThat(line).endsWith(" nobody"));
            heard.clear();
            assertThatThrownBy(() -> remotes.commit(address(at(server) + "/r.git"), proof))
                    .isInstanceOf(EngineException.Unavailable.class);
            assertThat(heard).isNotEmpty().allSatisfy(line -> assertThat(line).endsWith(" basic "
                    + Base64.getEncoder().encodeToString(bytes("x-access-token:t1k"))));
        } finally {
            server.stop(0);
        }
    }

    @ParameterizedTest
    @CsvSource({"https://h/a.git, https://h/b.git, host", "https://h/a.git, https://h:443/b.git, host",
        "https://h/a.git, https://h:8443/b.git, port", "https://h/a.git, https://h:9443/b.git, ''",
        "https://h:9443/a.git, https://h:9443/b.git, host", "https://h/a.git, http://h/b.git, ''",
        "http://h/a.git, http://h/b.git, host", "http://h/a.git, http://h:8443/b.git, ''",
        "https://x/a.git, https://h/b.git, host", "https://h/a.git, https://x/b.git, ''"})
    void aHostsSecretIsForItsOwnPort(String asked, String at, String header) throws Exception {
        var proof = new Remotes.Proof(Map.of("GIT_AUTH_HEADER.h", bytes("host"), "GIT_AUTH_HEADER.h:8443", bytes("port")),
                Map.of());
        var way = remotes.way(address(at), proof, LiveRemotes.origin(address(asked)));
        assertThat(way.header()).isEqualTo(header);
        assertThat(way.protocols()).containsExactlyElementsOf(at.startsWith("https:") ? List.of("https")
                : List.of("http", "https"));
    }

    @Test
    void noSubmoduleIsFetchedInClearTextWhereItsRepositoryIsNot() throws Exception {
        var parent = address("https://h/a.git");
        assertThatThrownBy(() -> GitProgram.submodule(parent, "s", "http://h/b.git"))
                .isInstanceOf(EngineException.Invalid.class).hasMessageContaining("in clear text");
        assertThat(GitProgram.submodule(parent, "s", "https://h/b.git").url()).isEqualTo("https://h/b.git");
        assertThat(GitProgram.submodule(address("http://h/a.git"), "s", "../b.git").url()).isEqualTo("http://h/b.git");
    }

    /// What a server leads on to is a protocol of the ones that are spoken then, as git and libcurl are told.
    @Test
    void gitSpeaksOnlyTheProtocolsOfItsWay() throws Exception {
        var heard = new CopyOnWriteArrayList<String>();
        var server = server(heard, "");
        try {
            var git = GitProgram.open(directory.resolve("git"), directory.resolve("known_hosts"));
            assertThatThrownBy(() -> git.commit(address(at(server) + "/r.git"), new GitProgram.Way(List.of("https"), "", "", "")))
                    .isInstanceOf(EngineException.Unavailable.class).hasMessageContaining("'http' not allowed");
            assertThat(heard).isEmpty();
        } finally {
            server.stop(0);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void relativeSubmodulesAreFoundBesideTheirRepository() {
        assertThat(GitProgram.beside("https://h/a/b.git", "../c.git")).contains("https://h/a/c.git");
        assertThat(GitProgram.beside("git@h:a/b.git", "../../c.git")).contains("git@h:c.git");
        assertThat(GitProgram.beside("https://h/a/b.git", "./c")).contains("https://h/a/b.git/c");
        assertThat(GitProgram.beside("https://h/b.git", "../../c")).isEmpty();
    }
}
