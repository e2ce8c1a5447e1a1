package carafe.engine;

import carafe.build.source.Remotes;
import carafe.registry.Registries;
import carafe.spec.EngineException;
import carafe.spec.build.GitAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;

/// What builds fetch: files by the client of registries, with its proxies, trust and limits; repositories by git.
/// Secrets called as BuildKit calls them (`HTTP_AUTH_TOKEN_<host>`, `HTTP_AUTH_HEADER_<host>`, `GIT_AUTH_TOKEN[.<host>]`,
/// `GIT_AUTH_HEADER[.<host>]`) are shown to that host and to no other.
record LiveRemotes(Registries registries, GitProgram git) implements Remotes {

    @Override
    public WebFile file(String url, Optional<String> version, Proof proof) throws EngineException, InterruptedException {
        var answer = registries.web(url, version, fileAuthorization(url, proof));
        return new WebFile(answer.body(), answer.version(), answer.modified(), answer.unchanged());
    }

    private static Optional<String> fileAuthorization(String url, Proof proof) throws EngineException.Invalid {
        String host = host(url);
        var header = text(proof, "HTTP_AUTH_HEADER_" + host);
        return header.isPresent() ? header : text(proof, "HTTP_AUTH_TOKEN_" + host).map(token -> "Bearer " + token);
    }

    private static String host(String url) throws EngineException.Invalid {
        try {
            return String.valueOf(new URI(url).getHost());
        } catch (URISyntaxException e) {
            throw new EngineException.Invalid("invalid URL \"" + url + "\": " + e.getMessage());
        }
    }

    private static Optional<String> text(Proof proof, String secret) {
        byte[] content = proof.secrets().get(secret);
        return content == null ? Optional.empty() : Optional.of(new String(content, StandardCharsets.UTF_8).strip());
    }

    @Override
    public String commit(GitAddress address, Proof proof) throws EngineException, InterruptedException {
        return git.commit(address, way(address, proof, true));
    }

    @Override
    public void checkout(GitAddress address, String commit, boolean keepGit, Proof proof, Receiver receiver)
            throws EngineException, InterruptedException {
        String own = origin(address);
        git.checkout(new GitProgram.Wanted(address, commit, keepGit), at -> way(at, proof, origin(at).equals(own)), receiver);
    }

    private static String origin(GitAddress address) {
        return address.url().replaceFirst("^(\\w+://[^/]*).*", "$1");
    }

    /// How a repository is reached. What is not for a named host is for that of the repository that was asked for (`own`),
    /// not for those of its submodules.
    private GitProgram.Way way(GitAddress address, Proof proof, boolean own) throws EngineException.Invalid {
        if (!address.url().startsWith("http")) {
            return new GitProgram.Way("", "", proof.agents().getOrDefault("default", ""));
        }
        String host = host(address.url());
        var header = text(proof, "GIT_AUTH_HEADER." + host)
                .or(() -> text(proof, "GIT_AUTH_TOKEN." + host).map(LiveRemotes::token));
        if (own) {
            header = header.or(() -> text(proof, "GIT_AUTH_HEADER"))
                    .or(() -> text(proof, "GIT_AUTH_TOKEN").map(LiveRemotes::token));
        }
        header = header.or(() -> address.login().map(login -> basic(login.contains(":") ? login : login + ":")));
        return new GitProgram.Way(registries.proxy(address.url()), header.orElse(""), "");
    }

    private static String token(String token) {
        return basic("x-access-token:" + token);
    }

    private static String basic(String login) {
        return "basic " + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
    }
}
