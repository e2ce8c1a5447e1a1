package carafe.registry;

/// Hears that a mirror is asked no more, each mirror once, from whichever thread found out.
@FunctionalInterface
public interface PassedBy {

    /// Tells nobody.
    PassedBy UNHEARD = _ -> { };

    /// `sentence` names the mirror and what it did.
    void told(String sentence);
}
