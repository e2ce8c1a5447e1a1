package carafe.engine;

import java.util.concurrent.ThreadLocalRandom;

/// Makes names for containers nobody named: an adjective and somebody who made computing or science possible.
final class NameGenerator {
    private static final String[] ADJECTIVES = """
            able agile airy amber ample apt arctic avid balmy bold brave breezy bright brisk calm candid careful cheery
            civil clear clever cosy crisp curious daring deft eager early easy earnest epic exact fair famous fast fine
            fleet fluent fond frank fresh frosty gentle gifted glad golden good grand green handy happy hardy hazy
            honest humble ideal jolly jovial keen kind lively loyal lucid lucky magic mellow merry mighty mild modest
            neat nifty nimble noble novel open patient placid plucky polite prime proud quick quiet ready refined
            relaxed robust rosy serene sharp shiny silent silver simple sleek smart smooth snappy solar solid sound
            spry stable steady stellar strong sturdy subtle sunny sure swift tender thrifty tidy trusty upbeat valiant
            vivid warm wise witty worthy zealous zesty""".split("\\s+");
    private static final String[] NAMES = """
            abel agnesi allen almeida ampere apgar archimedes babbage backus banach bartik bassi bell berners
            bernoulli bhabha blackwell bohr boole booth borg bose boyd brahmagupta brooks brown burnell cantor carson
            carver cerf chandrasekhar chatterjee church clarke codd cori curie dantzig darwin davinci diffie dijkstra
            dirac easley eckert edison einstein elion engelbart erdos euclid euler faraday feinler fermat fermi
            feynman franklin galileo galois gates gauss germain goldberg goldwasser goodall hamilton hawking
            heisenberg hermann herschel hilbert hoare hodgkin hopper hugle hypatia jackson jang jennings jepsen
            johnson joliot jones kalam kapitsa kare keldysh keller kepler kernighan khayyam khorana kilby kirch knuth
            kovalevsky lamarr lamport leakey leavitt lederberg lewin lichterman liskov lovelace lumiere mahavira
            margulis matsumoto maxwell mayer mccarthy mcclintock mclean mcnulty meitner mendel mendeleev meninsky
            merkle mestorf minsky mirzakhani montalcini moore morse moser nash neumann newton nightingale nobel
            noether noyce panini pare pascal pasteur payne perlman pike poincare poitras ptolemy raman ramanujan ride
            ritchie robinson roentgen rosalind rubin saha sammet sanderson shannon shaw shirley shockley sinoussi
            snyder spence stallman stonebraker sutherland swanson swartz swirles tesla thompson torvalds turing
            varahamihira vaughan villani visvesvaraya volhard wescoff wilbur wiles williams wilson wing wozniak wright
            wu yalow yonath zhukovsky""".split("\\s+");

    private NameGenerator() {}

    /// A name; from the `attempt`th on with a number behind it, so that a full house still yields one.
    static String next(int attempt) {
        var random = ThreadLocalRandom.current();
        String name = ADJECTIVES[random.nextInt(ADJECTIVES.length)] + "_" + NAMES[random.nextInt(NAMES.length)];
        return attempt < 3 ? name : name + random.nextInt(attempt < 6 ? 10 : 1_000_000);
    }
}
