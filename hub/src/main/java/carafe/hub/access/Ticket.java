package carafe.hub.access;

import carafe.spec.EngineException;
import carafe.spec.Json;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// The scopes a token is limited to, and whether it may list (`catalog`) what its owner may pull.
public record Ticket(List<Scope> scopes, boolean catalog) {

    private static final String CATALOG = "registry:catalog:*";

    private static final int MAX_SCOPES = 64;

    public Ticket {
        scopes = List.copyOf(scopes);
    }

    /// Rights in one repository.
    public record Scope(String repository, Set<Right> rights) {
        public Scope {
            rights = Set.copyOf(rights);
        }
    }

    /// Reads what clients ask for: `repository:NAME:pull,push` and `registry:catalog:*`; anything else is left
    /// out.
    public static Ticket parse(List<String> texts) throws EngineException.Invalid {
        var scopes = new ArrayList<Scope>();
        boolean catalog = false;
        for (String text : texts) {
            for (String one : text.split(" ")) {
                catalog |= one.equals(CATALOG);
                int first = one.indexOf(':');
                int last = one.lastIndexOf(':');
                if (!one.startsWith("repository") || first < 0 || last <= first) {
                    continue;
                }
                var rights = EnumSet.noneOf(Right.class);
                for (String word : one.substring(last + 1).split(",")) {
                    if (!word.isEmpty()) {
                        rights.addAll(Right.parse(word));
                    }
                }
                scopes.add(new Scope(one.substring(first + 1, last), rights));
                if (scopes.size() > MAX_SCOPES) {
                    throw new EngineException.Invalid("more than " + MAX_SCOPES + " scopes");
                }
            }
        }
        return new Ticket(scopes, catalog);
    }

    boolean allows(Right right, String repository) {
        return scopes.stream()
                .anyMatch(scope -> scope.repository().equals(repository) && scope.rights().contains(right));
    }

    Json toJson() {
        var access = new ArrayList<Json>();
        for (var scope : scopes) {
            access.add(Json.object()
                    .put("type", "repository")
                    .put("name", scope.repository())
                    .put("actions", Json.ofTexts(scope.rights().stream().sorted().map(Right::word).toList()))
                    .build());
        }
        if (catalog) {
            access.add(Json.object().put("type", "registry").put("name", "catalog")
                    .put("actions", Json.ofTexts(List.of("*"))).build());
        }
        return Json.ofAll(access);
    }

    static Ticket fromJson(List<Json.Obj> access) throws EngineException.Invalid {
        var scopes = new ArrayList<Scope>();
        boolean catalog = false;
        for (var scope : access) {
            if (scope.text("type").equals("registry")) {
                catalog |= scope.text("name").equals("catalog");
                continue;
            }
            var rights = EnumSet.noneOf(Right.class);
            for (String word : scope.texts("actions")) {
                rights.add(Right.valueOf(word.toUpperCase(java.util.Locale.ROOT)));
            }
            scopes.add(new Scope(scope.text("name"), rights));
        }
        return new Ticket(scopes, catalog);
    }
}
