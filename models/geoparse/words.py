"""Words that speak for or against a place, in French and English, spelt as `fold` spells them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Before a name: the thing is there.
CUES = _words("""
    a au aux sur vers depuis secteur cote environs proximite commune ville village agglomeration port zone entre pres
    hauteur chez dans en centre quartier bourg proche autour sortie entree habitants mairie pompiers sdis chu aeroport
    in near at from around outside downtown across over throughout city town county village suburb hitting hits hit
    struck strikes flooding flooded devastated north south east west nord sud est ouest northern southern central
""")
OF_CUES = _words("de d du des of l la le les")  # weak: half the nouns of a language stand after them
CONNECTORS = _words("de du des d l la le les of the")
NEAR = _words("pres vers proche autour environs proximite alentours near around outside")
FRENCH_AREA_CUES = _words("dans departement dpt dept prefecture prefet")

# Before a name: it is called after the place, it is not in it.
STREETS = _words("""
    rue avenue av ave bd bld blvd boulevard allee allees impasse chemin square cours faubourg fbg route
    rocade rondpoint
    tunnel tramway metro station ligne lignes porte hotel restaurant cafe lycee college stade cinema residence
    street road highway lane train trains tgv ter vol bus autocar
""")
STATIONS = _words("gare place pont quai stadium hospital bridge hopital")
GOODS = _words("""
    fromage vin vins jambon moutarde savon saucisse saucisses saucisson brie bleu poulet poulets quiche piment betises
    biere toile edit traite accord accords bourse marathon tour equipe miss tripes rillettes calisson calissons nougat
    dentelle porcelaine camembert pastis beurre huile huitres caramel pruneaux melon melons linge faience tomme
    champagne cognac match derby supporters joueur joueurs coach maillot president presidente ministre
    senateur roi reine
    duc comte prince princesse baron university bank banque editions theatre festival carnaval
""")
PEOPLE = _words("m mr mme mlle dr docteur maitre monsieur madame mister mrs ms sir lady miss jean pape pope saint")
CLUBS = _words("fc as us sc rc ac olympique racing real inter sporting club united athletic psg om asse og dynamo")
AFTER_CLUB = _words("fc united rovers wanderers hotspur athletic volley basket handball rugby hac city")
SPORT = _words("""
    match ligue l1 l2 psg om ol buts goals supporters championnat mercato coach arbitre penalty
    football foot rugby handball transfert joueur joueurs league premier nba nfl mlb fifa
""")
AFTER_OTHER = _words("""
    county counties river creek dam lake road rd street st ave avenue blvd drive dr school church university
    college hospital
    airport bay bridge park station center centre memorial parish chapel hall mall prison highway hwy valley
    canyon branch
""")
COMPASS = _words(
    "north south east west northern southern eastern western central northeast northwest southeast southwest "
    "islands island state province region district nord sud est ouest centre city capital"
)
STORMS = _words("hurricane hurricanes cyclone cyclones typhoon typhon tempete ouragan storm")

# Before a name: somebody goes there, comes from there, or speaks from there; the thing is elsewhere.
GOING = _words("pour direction destination rejoindre towards toward to partir pars allons vais bound arrive")
LIVING = _words("habite habitant vis viens viennent originaire salutations bonjour bisous soutien love")

# Small words by which a text shows its language; the two sets share none.
FRENCH = _words("""
    le la les des du au aux une est et dans pour avec pas qui que il elle je vous nous sur cette ce ca c l d j qu un
    incendie feu fumee pompiers crue inondation inondations odeur usine chez sont ete y tres mais ou
    en ses ma ville rue route vers pres depuis suite encore deux entre par
""")
ENGLISH = _words("""
    the of and in is at to for with are was has have this that it from by i we you my our they near fire flood floods
    flooding smoke help people please been after be not what when where who will would can all out up so
    just your their were there his her he she via new now over more due
""")

# What happens: the place that stands nearest to one of these is the event's.
HAPPENINGS = _words("""
    incendie feu feux brule brulent crame crament flammes fumee fumees explosion explose boum crue crues inondation
    inondations inonde
    inondee inondes inondees eau submersion debordement deborde fuite gaz odeur nuage torchere accident pompiers sdis
    evacuation evacues sinistre seisme tempete eboulement coulee detonation panache sirene ppi seveso
    fire fires wildfire blaze burning smoke flames blast flood floods flooding flooded earthquake quake storm
    hurricane cyclone typhoon leak spill evacuated tornado landslide dead damage victims
""")

# Phrases that hold a place's name and mean none, or mean another thing: they win as the longest match and
# yield nothing.
NOT_PLACES = tuple(
    """
    gare de lyon|stade de france|tour de france|equipe de france|france bleu|france inter|france info|france 2|france 3
    france 24|france televisions|air france|ouest france|sud ouest|paris match|paris normandie|le parisien|radio france
    ici normandie|miss france|france travail|meteo france|enedis|banque de france|paris saint germain|real madrid
    atletico madrid|fc barcelone|manchester united|manchester city|la saint valentin|saint valentin|saint sylvestre
    la saint jean|sainte barbe|la sainte barbe|saint nicolas|notre dame|new york times|washington post|boston globe
    le monde|nice to|so nice|very nice|nice day|be nice|la poste|vigilance orange|alerte orange|en cours|en place
    sur place|place de la republique|la tour eiffel|tour eiffel|la une|mer du nord|pole nord|pont de normandie
    gare du nord|gare de l est|gare saint lazare|gare d austerlitz|gare montparnasse|canal du midi|golfe du lion
    bon app|grand chelem|champs elysees|los angeles times|chicago tribune|american red cross|red cross
    white house|the sun|new year|happy new year|good morning america|big ben|college de france|code de la route
    pays de caux|pays d auge|vieux port|camp david|central park|times square|south park|el nino|la nina
    black friday|good friday|on air|obama|clinton|biden|macron|valls|kim jong|prince george|abraham lincoln
    george washington
    kennedy space center|katy perry|saint pere noel|la france insoumise|kardashian|prince harry
""".strip()
    .replace("\n", "|")
    .split("|")
)
