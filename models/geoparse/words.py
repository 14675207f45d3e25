"""Words that speak for or against a place, in French and English, spelt as `fold` spells them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Before a name: the thing is there.
CUES = _words("""
    a au aux sur vers depuis secteur cote environs proximite commune ville village agglomeration port zone entre
    pres hauteur dessus dessous dans en into through centre quartier bourg proche autour sortie entree habitants
    mairie pompiers sdis chu aeroport between avant apres derriere devant in near at from around outside downtown
    across over throughout city town county suburb hitting hits hit struck strikes flooding flooded devastated north
    south east west nord sud est ouest northern southern central alentours
""")
OF_CUES = _words("de d du des of l la le les")  # weak: half the nouns of a language stand after them
CONNECTORS = _words("de du des d l la le les of the")
NEAR = _words("pres vers proche autour environs proximite alentours near around outside")
FRENCH_AREA_CUES = _words("dans departement dpt dept prefecture prefet")

# Before "de" and a name: the thing stands in the town that the name means.
IN_TOWN = _words("""
    festival carnaval marathon theatre feria fete fetes brocante comice fabrique bas haut cristallerie fromagerie
    distillerie brasserie tannerie filature forge forges patinoire chantiers cathedrale eglise basilique mosquee
    synagogue mairie hopital chu clinique ehpad usine raffinerie fonderie papeterie verrerie acierie cimenterie
    scierie sucrerie centrale barrage depot port plage plages calanques digue gymnase piscine mediatheque antique
    arenes halles halle marche foire zoo prison commissariat gendarmerie caserne tribunal prefecture habitants
    habitante habitant riverains maire centre ville vieille commune village bourg quartier quartiers banlieue
    agglomeration agglo metropole environs alentours hauteurs sortie entree peripherie rocade dechetterie carriere
    massif foret citadelle remparts chateau lycees ecoles abattoir abattoirs incinerateur decharge aeroport
    aerodrome
""")

# Before a name: it is called after the place, it is not in it.
STREETS = _words("""
    rue avenue av ave bd bld blvd boulevard allee allees impasse chemin square cours faubourg fbg fg route rte
    tramway tram metro station ligne lignes porte hotel restaurant resto cafe lycee college stade cinema residence
    rdv train trains tgv ter vol bus autocar ouigo intercites intercite transilien rer blablacar covoit covoiturage
    flixbus provenance destination correspondance
""")
SQUARES = _words("cite villa bassin place pont quai passerelle passage carrefour esplanade parvis point")
STATIONS = _words("""
    gare stadium hospital bridge giratoire
""")
GOODS = _words("""
    fromage fromages vin vins verre verres bouteille bouteilles rose rouge blanc cru crus jambon moutarde savon
    saucisse saucisses saucisson brie bleu poulet poulets quiche piment piments betises lentilles sauce creme biere
    toile edit traite accord accords tour equipe tripes rillettes calisson calissons nougat dentelle porcelaine
    camembert pastis beurre huile huitres caramel caramels pruneaux melon melons linge faience tomme champagne
    cognac match derby supporter supporters joueur joueurs maillot president presidente ministre facon style mode
    bataille battle sel pastilles pastille madeleines madeleine velours miel biscuit biscuits nougats pull parfum
    pommes lots girondins demoiselles cassoulet quenelles quenelle tarte tartes galette galettes gateau andouille
    andouillette haricots oignons fraises noix prunes ail couteau couteaux senateur roi reine duc comte prince
    princesse baron university bank banque editions syndrome convention declaration protocole pate berlingot
    berlingots tapisserie tapisseries brioche terrine confiture liqueur marc poterie cidre absinthe chapon canard
    foie boudin sabots
""")
PEOPLE = _words("""
    m mr mme mlle dr docteur maitre monsieur madame mister mrs ms sir lady miss jean pape pope saint boy girl son
    daughter brother sister uncle aunt auntie nephew niece grandson granddaughter tonton tata tatie oncle tante papi
    papy mamie mamy cousin cousine frere pere abbe commandant capitaine colonel lieutenant adjudant sergent general
    amiral brigadier commissaire juge procureur coach prof professeur famille chien chienne chat chatte chaton chiot
    hamster poney cheval lapin poisson perruche dog cat puppy kitten appelle surnom prenomme named called
""")
CLUBS = _words("""
    hbc usap asse sco fcn rct aso hac fc as us sc rc ac olympique racing real inter sporting club united athletic
    psg om og dynamo
""")
AFTER_CLUB = _words(
    "fc united rovers wanderers hotspur athletic volley basket handball rugby hac city csp hb vb xv xiii"
)

# The post is about sport: one of the first set says so, or two of the second.
SURELY_SPORT = _words("""
    mercato ligue l1 l2 championnat supporter arbitre arbitrage penalty pelouse handball rugby basket volley derby
    buteur buteurs gardien attaquant remontada playoffs vestiaire ultras nba nfl mlb fifa uefa quarterback touchdown
    midfielder goalkeeper football supporters playoff
""")
SPORT = _words("""
    match matches matchs psg om ol buts goal goals score essai essais bonus offensif points coupe poule foot
    transfert joueur joueurs joueuse league saison classement victoire defaite qualifie periode qualifies
    qualification finale tribune stade maillot abonnement montee relegation players pitch innings inning wicket
    wickets overs hurlers defense offense traded picks cowboys leafs lakers celtics yankees bulldogs broncos packers
    bears eagles steelers patriots warriors knicks tirs hockey buzzer prolongation melee plaquages elite accession
    abonne abonnes journee season win won beat beats lost game games scored striker fans cup coach
""")
SCORE = r"\b\d{1,3}\s?(?:-|à)\s?\d{1,3}\b"
# Right behind a town's name: the town's team did so.
TEAM_VERBS = _words("""
    bat battu battent gagne gagnent perd perdent mene menent recrute recrutent vend vendent signe qualifie qualifies
    descend monte ecrase ecrasent domine elimine eliminent prolonge affronte recoit rencontre jouera joue jouent
    tient trop costaud champion championne vainqueur beat beats won wins lost loses vs
""")

# Right before a town's name, without a preposition: its team was beaten, met, bought from.
BEATEN = _words("""
    explose brule bat battu ecrase humilie recoit affronte tape mange domine demonte atomise corrige rencontre
    elimine etrille terrasse giflee colle against beat beating thrashed hammered battered vs v
""")
# Towns whose name alone, as the subject of a sentence, is their team as often as the town.
CLUB_TOWNS = _words("""
    agen aix ajaccio albi amiens angers annecy auch aurillac auxerre barcelone bastia bayonne beziers biarritz
    bordeaux boulogne bourgoin brest brive caen carcassonne castres chambery chateauroux clermont colomiers dax
    dijon dunkerque grenoble guingamp laval lens lille limoges lorient lyon marseille metz monaco montauban
    montpellier nancy nanterre nantes narbonne nevers nice nimes niort oyonnax paris pau perpignan poitiers quevilly
    reims rennes rouen sedan sochaux strasbourg toulon toulouse tours troyes valence valenciennes vannes
    villefranche arsenal atlanta barcelona birmingham blackburn blackpool bolton boston bournemouth brentford
    brighton bristol buffalo burnley cardiff charlotte chelsea chennai chicago cleveland coventry dallas delhi
    denver derby detroit everton fulham houston hull indiana ipswich kolkata leeds leicester liverpool luton
    manchester melbourne miami middlesbrough millwall milwaukee minnesota mumbai munich newcastle norwich nottingham
    oakland oldham orlando philadelphia phoenix pittsburgh portsmouth preston rangers reading rotherham sacramento
    seattle sheffield southampton stoke sunderland swansea toronto tottenham utah watford wigan wolverhampton
    wrexham cincinnati memphis edmonton calgary winnipeg vancouver ottawa montreal tampa columbus nashville anaheim
    stockport grimsby kilmarnock motherwell kilkenny limerick cork geelong perth adelaide brisbane hobart lucknow
    hyderabad kano aberdeen dundee barnsley carlisle exeter plymouth northampton peterborough doncaster huddersfield
    walsall shrewsbury cheltenham gillingham colchester bradford accrington morecambe salford crawley swindon galway
    sydney canberra auckland hamilton kingston pretoria durban lagos nairobi kampala jacksonville baltimore cholet
    blagnac draguignan rodez lourdes tarbes vitre frejus roanne bourg vichy gravelines mulhouse istres creteil ivry
    aubagne beauvais chartres orleans avranches
""")
NO_VERBS = _words("""
    sous en ce cette hier demain aujourd toujours encore la le les l un une des et ou dans a au aux sur par pour
    avec sans c ca y on il depuis vers pres matin soir nuit centre ville nord sud est ouest samedi dimanche lundi
    mardi mercredi jeudi vendredi in at this today tonight tomorrow yesterday and or the is was right now near with
    after before since
""")
SPORT_HEADS = frozenset({"coupe", "ligue", "pro", "top", "champions", "allez"})
SPORT_PHRASES = (
    " coupe de france ", " coupe d europe ", " coupe du monde ", " ligue des champions ", " pro d2 ", " top 14 ",
    " champions league ", " allez les ",
)  # fmt: skip
# First names that are also nouns before "de": "marine de Brest", "rose de Tunis".
GIVEN_NOUNS = _words("""
    pierre rose marine aurore reine violette marguerite olive victoire constance prudence colombe france grace perle
    iris lys angel ange domaine dune foi gloire juste mai may june avril ville belle blanche blanc brune clair
    claire clement fleur fort franc grand mars modeste noel parfait pascal prince roman sage sylvestre
""")
# Names that mean what is made there as often as the place.
PRODUCTS = _words("""
    gouda cheddar stilton edam parmesan roquefort camembert cognac champagne bourbon chablis sancerre cantal munster
    gruyere worcester cassis armagnac madere porto saumur pommard meursault margaux sauternes cahors gaillac beaune
    pauillac volvic vichy evian vouvray laguiole bordeaux dijon philadelphia worcestershire ibiza turkey cayenne
    banyuls coulommiers maroilles livarot tokay emmental vittel contrex badoit espelette chaource valencay pouilly
    buzet madiran fronsac pomerol gigondas vacqueyras tavel jurancon irouleguy
""")
# Persons whose family name is also a commune: named alone, the person is meant.
FAMOUS = _words("""
    bach ravel descartes balzac murat ney marat mauriac ronsard racine lamartine marot barbey gounod charpentier
    couperin lully poulenc boulez dumas musset vigny stael rabelais montaigne pascal fermat galois lavoisier buffon
    condorcet turgot necker colbert vauban turenne conde jourdan augereau marmont saint exupery lancelot perceval
    bayard jaures gambetta thiers guizot casimir mermoz
""")
ADJECTIVES = _words("""
    bon bonne vieux vieil vieille petit petite grand grande beau belle nouveau nouvelle good old new big
""")
# With a town as subject, nothing happens unless one of these does too.
WEATHER = _words("""
    neige neiges pluie pluies vent vents orage orages gel verglas chaleur canicule brouillard grele froid tramontane
    mistral boue secheresse courant coupure panne blocage bouchon bouchons greve vigilance cyclone houle vagues snow
    rain wind winds frost ice hail heat fog inches humidity warning outage flooded power aqi smells smell lightning
    degrees tremor thunder evacuate evacuating choking haze
""")
# What may follow a town's name that is no verb: those who act for it.
TOWN_BODIES = _words("""
    folk folks people friends families metro prom traffic how you council police fire airport city hospital
    hospitals mayor firefighters residents downtown university crews schools port harbour harbor beach market
""")
MOVES = _words("""
    monte descend montent descendent part partent va vais aller transfert route trajet voyage demenage going
""")
STRONG_WAYS = _words(
    "train trains tgv ter transilien intercites rer vol vols ferry covoiturage autoroute flight flights"
)
GIVEN_AREAS = _words("victoria georgia virginia carolina alberta kenya jordan india china asia israel france")
PRONOUNS = _words("her his him he she hers himself herself lui il elle son sa ses")

# Right behind a seat of power: not the town, those who govern there.
POWER_VERBS = _words("""
    dement temporise refuse condamne exige accuse menace denonce juge estime craint salue hausse propose appelle
    promet repond repete reclame persiste maintient annonce veut decide traine s sanctionne soutient rejette valide
    tranche interdit impose autorise negocie recule cede insiste reagit denies refuses condemns demands accuses
    threatens wants says announces vows rejects insists responds
""")
SEATS_OF_POWER = _words("""
    paris londres london bruxelles brussels washington moscou moscow pekin beijing berlin rome madrid kiev kyiv
    teheran tehran tokyo ankara jerusalem ottawa alger rabat tunis varsovie budapest athenes delhi seoul pyongyang
    riyad doha damas bagdad kaboul caracas brasilia pretoria canberra vienne geneve matignon
""")

# Two places joined are the two ends of a way where one of these stands before them.
WAYS = _words("""
    ter tgv intercites intercite ouigo oui rer transilien train trains rail ligne lignes liaison vol vols avion
    ferry bateau navette bus car autocar flixbus covoit covoiturage blabla blablacar autoroute nationale rocade
    trajet voyage aller retour billet billets peage traversee sens direction entre axe route rn trafic circulation
    flight flights line highway amtrak greyhound between drive road
""")
ROAD = r"^[adnrm]\d{1,4}$"

AFTER_OTHER = _words("""
    county counties river creek dam lake road rd street st ave avenue blvd drive dr lane square school church
    university college hospital airport bay bridge park station center centre memorial parish chapel hall mall
    prison highway hwy valley canyon branch
""")
COMPASS = _words(
    "north south east west northern southern eastern western central northeast northwest southeast southwest "
    "islands island state province region district nord sud est ouest centre city capital"
)
STORMS = _words("hurricane hurricanes cyclone cyclones typhoon typhon tempete ouragan storm")

# Before a name: somebody goes there, comes from there, or speaks from there; the thing is elsewhere.
GOING = _words("""
    pour direction rejoindre towards toward to partir pars allons vais bound arrive
""")
LIVING = _words("habite habitant vis viens viennent originaire salutations bonjour bisous soutien love")
ORIGIN = _words("""
    depuis left leaving heard quitte quittent quitter parti partie partis parties venu venus venue venant arrivant
    visible vu vue seen
""")
REACH = _words("jusqu jusque vers direction via destination rejoindre towards toward until from way")
TAKEN_TO = _words("""
    transporte transportee transportes emmene emmenee evacue evacuee evacues helitreuille conduit conduits conduite
    conduites dirige hospitalise hospitalisee envoie taken airlifted
""")
FROM_THERE = _words("""
    pompiers renfort renforts secours sdis sapeurs gendarmes policiers habitant habitante habitants gens maire jeune
    homme femme couple famille forestiers citernes prefet supporters amis touristes touriste enfant enfants eleves
    etudiants randonneur ouvriers salaries cousine cousin commandant chu equipes canadairs firefighters crews
    residents mayor man woman resident
""")
SOURCE_HEADS = _words("""
    incendie feu fuite explosion usine depot entrepot hangar raffinerie centrale site plateforme fonderie barrage
    massif foret commune village accident crue inondation seisme eboulement hopital eglise gare gymnase fire leak
    refinery plant factory wildfire derailment
""")
NOT_THERE = _words("pas rien ni plus non not no")
RELATIVES = _words("""
    soeur frere mere pere cousin cousine tante tantine oncle parents fils fille ami amis copain copine
    collegue
    sister brother mother mom mum dad father uncle aunt auntie son daughter friend friends mate mates buddy
""")
MOVED = _words("flew drove came got went moved arrived sent heading headed up")
WORD_COUNTRIES = _words("turkey jordan chad chile mali niger oman togo guinea china")
UNTOUCHED = _words("degage degages epargne epargnee intact prevenu prevenue garde tranquille rien safe fine")
FOCUS = _words("mais monte vient viennent viendrait part provient but")
SEEING = _words("voit vois distingue apercoit entend sent see sees hear smell")
IDIOMS_WITH_TO = _words("sens part contre bout long point vous us tours coup court jour fond flot")
DETERMINERS = _words("""
    un une mon ma mes ton ta tes ses son sa ce cet cette ces nos vos notre votre leur leurs quelques plusieurs trop
    tres si assez super hyper my your his their our this a
""")

# Small words by which a text shows its language; the two sets share none.
FRENCH = _words("""
    le la les des du au aux une est et dans pour avec pas qui que il elle je vous nous sur cette ce ca c l d j qu un
    incendie feu fumee pompiers crue inondation inondations odeur usine chez sont ete y tres mais ou en ses ma ville
    rue route vers pres depuis suite encore deux entre par
""")
ENGLISH = _words("""
    the of and in is at to for with are was has have this that it from by i we you my our they near fire flood
    floods flooding smoke help people please been after be not what when where who will would can all out up so just
    your their were there his her he she via new now over more due
""")

# What happens: the place that stands nearest to one of these is the event's. What burns, and what one notices of it.
SOURCES = _words("""
    incendie incendies feu feux brule brulent crame crament flammes explosion explose boum crue crues inondation
    inondations inonde inondee inondes inondees submersion debordement deborde fuite torchere accident sinistre
    seisme eboulement coulee detonation carambolage collision avalanche explosions fuites accidents seismes
    eboulements coulees avalanches torcheres submersions debordements wildfires blazes leaks earthquakes tornadoes
    landslides spills crashes bushfire bushfires fire fires wildfire blaze burning flames blast flood floods
    flooding flooded earthquake quake leak spill tornado landslide crash derailment
""")
EFFECTS = _words("""
    fumee fumees eau gaz odeur nuage pompiers sdis panache cendres retombees evacuation evacues tempete sirene ppi
    seveso nuages odeurs evacuations floodwaters floodwater smoke storm hurricane cyclone typhoon evacuated dead
    damage victims ash smell
""")
HAPPENINGS = SOURCES | EFFECTS
# In the post of a river that is also a département: the river, and the département.
OF_RIVERS = _words("""
    deborde debordement crue crues berges berge rive rives gonfle monte montee cote niveau lit quai quais canoe
    kayak baignade pont ponts noye noyee peche barrage affluent
""")
OF_AREAS = _words("""
    vigilance prefecture prefet departement departementale conseil rouge orange jaune alerte communes cantons sdis
    massifs routes villages catastrophe agriculteurs elections ecoles colleges confinement meteo neige grele vent
    vents orages orage
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
    nice matin|paris normandie|lyon mag|la voix du nord|l est republicain|le dauphine|midi libre
    le progres|la depeche du midi|charente libre|le telegramme|corse matin|var matin
    c est pas le perou|pas le perou|manchester evening news|koh lanta|24 heures du mans|24h du mans|coupe de france
    toulouse lautrec|paris brest paris|tour de corse|saint exupery
    chateau margaux|eau de cologne|sauce worcester|worcestershire sauce
    bayern|bayern munich|reine des neiges|la reine des neiges|fonte des neiges|boule de neige
    giscard d estaing|cyrano de bergerac|alienor d aquitaine|blanche de castille|therese de lisieux
    sainte therese de lisieux|therese d avila|francois d assise|antoine de padoue|bernard de clairvaux|jeanne d albret
    anatole france|pomme d api|sacre coeur
    demoiselles de rochefort|hiroshima mon amour|menent a rome|mort a venise|mourir a venise|aller a canossa
    paris s eveille|sleepless in seattle|loathing in las vegas|meet me in st louis|london calling|coals to newcastle
    bermuda triangle|triangle des bermudes|moscow mule|panama hat|bermuda shorts|streets of philadelphia
    on dirait venise|c est venise|la venise du pauvre|la venise du nord|notre venise|petite venise|pas venise
    comme a gravelotte|tombe a gravelotte
    paris en bouteille|paris ne s est pas fait|rome ne s est pas faite|rome wasn t built|sent to coventry
    sent me to coventry|manchester by the sea|when in rome|paris brule t il
    in march|in may|in august|last march|next march|this march
    brits|east bay|bay area|the bay
    arena|l arena|the arena
    christmas|merry christmas|xmas|easter|happy easter|halloween|thanksgiving
    boeuf bourguignon
    kennedy space center|katy perry|saint pere noel|la france insoumise|kardashian|prince harry
""".strip()
    .replace("\n", "|")
    .replace("    ", "")
    .split("|")
)
