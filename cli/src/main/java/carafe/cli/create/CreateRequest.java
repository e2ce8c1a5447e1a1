package carafe.cli.create;

import carafe.cli.flag.Flags;
import carafe.cli.session.Session;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// What POST /containers/create gets: the document, the name, the platform.
///
/// Only what was said is in the document; the rest is the engine's default.
///
/// @param attachIn whether the container reads standard input of a client
/// @param attachOut whether a client reads its output
/// @param attachErr whether a client reads its errors
public record CreateRequest(
        Json.Obj body, String name, String platform, boolean attachIn, boolean attachOut, boolean attachErr) {

    /// What the command adds to the flags.
    ///
    /// @param words the image, then the container's command
    /// @param detached nothing is attached, whatever the flags say
    /// @param proxies `proxies` of the user's settings that apply
    /// @param socket the engine's socket on this host; empty when it is elsewhere
    public record Context(List<String> words, boolean detached, Map<String, String> proxies, String socket) {}

    /// Reads the flags of `run` or `create`.
    /// @throws CreateException flags that contradict each other or cannot be understood
    public static CreateRequest of(Flags flags, Context context, Session session) throws CreateException {
        var streams = flags.list("attach");
        boolean all = streams.isEmpty();
        boolean in = (flags.truth("interactive") || streams.contains("stdin")) && !context.detached;
        boolean out = (all || streams.contains("stdout")) && !context.detached;
        boolean err = (all || streams.contains("stderr")) && !context.detached;
        var ports = PortOption.read(flags.list("publish"), flags.list("expose"));
        var volumes = new LinkedHashMap<String, Json>();
        var binds = new ArrayList<String>();
        volumes(flags.list("volume"), volumes, binds, session);
        var body = new Body();
        body.text("Hostname", flags.text("hostname"));
        body.text("Domainname", flags.text("domainname"));
        body.text("User", flags.text("user"));
        body.truth("AttachStdin", in);
        body.truth("AttachStdout", out);
        body.truth("AttachStderr", err);
        body.object("ExposedPorts", ports.exposed());
        body.truth("Tty", flags.truth("tty"));
        body.truth("OpenStdin", flags.truth("interactive"));
        body.truth("StdinOnce", flags.truth("interactive") && in);
        var variables = Variables.environment(flags.list("env-file"), flags.list("env"), session);
        variables.addAll(Variables.proxies(context.proxies, variables));
        body.texts("Env", variables);
        body.texts("Cmd", context.words.subList(1, context.words.size()));
        body.health(flags);
        body.put("Image", Json.of(context.words.getFirst()));
        body.object("Volumes", volumes);
        body.text("WorkingDir", flags.text("workdir"));
        if (flags.given("entrypoint")) {
            body.put("Entrypoint", Json.ofTexts(List.of(flags.text("entrypoint"))));
        }
        body.textMap("Labels", Variables.labels(flags.list("label-file"), flags.list("label"), session));
        body.text("StopSignal", flags.text("stop-signal"));
        if (flags.given("stop-timeout")) {
            body.put("StopTimeout", Json.of(flags.number("stop-timeout")));
        }
        var networks = NetworkOption.all(flags);
        body.put("HostConfig", host(flags, context, session, networks.getFirst().name(), binds)
                .with("PortBindings", new Json.Obj(ports.bindings())));
        var endpoints = new LinkedHashMap<String, Json>();
        for (var network : networks) {
            if (networks.size() > 1 || !network.endpoint().fields().isEmpty()) {
                endpoints.put(network.name(), network.endpoint());
            }
        }
        if (!endpoints.isEmpty()) {
            body.put("NetworkingConfig", Json.object().put("EndpointsConfig", new Json.Obj(endpoints)).build());
        }
        return new CreateRequest(body.build(), flags.text("name"), platform(flags, session), in, out, err);
    }

    private static String platform(Flags flags, Session session) {
        String otherwise = session.variable("CARAFE_DEFAULT_PLATFORM");
        otherwise = otherwise.isEmpty() ? session.variable("DOCKER_DEFAULT_PLATFORM") : otherwise;
        return flags.given("platform") ? flags.text("platform") : otherwise;
    }

    private static void volumes(List<String> typed, Map<String, Json> volumes, List<String> binds, Session session)
            throws CreateException {
        for (var one : typed) {
            int colon = one.indexOf(':');
            if (one.isEmpty()) {
                throw new CreateException("invalid empty volume spec");
            }
            if (colon < 0) {
                volumes.put(one, Json.object().build());
            } else if (colon == 0 || colon == one.length() - 1 || one.charAt(colon + 1) == ':') {
                throw new CreateException("invalid spec: " + one + ": empty section between colons");
            } else if (one.startsWith(".")) {
                binds.add(session.path(one.substring(0, colon)).normalize() + one.substring(colon));
            } else {
                binds.add(one);
            }
        }
    }

    private static Json.Obj host(Flags flags, Context context, Session session, String network, List<String> binds)
            throws CreateException {
        var host = new HostPart(flags);
        host.storage(session, context.socket, binds);
        host.network(network);
        host.isolation(session);
        host.limits();
        host.devices();
        host.life();
        return host.build();
    }
}
