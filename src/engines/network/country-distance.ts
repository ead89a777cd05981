/**
 * How far apart countries are at least: the shortest way between the principal places of their time zones. Large countries have
 * several places, so that a way within or across a border is not taken for a long one.
 *
 * The places are those of zone.tab of the IANA time zone database, which is in the public domain, in whole degrees.
 *
 * @example
 * kilometersBetween('DE', 'AU') // 11000 or so
 */

const PLACES = `
AD42,2 AE25,55 AF35,69 AG17,-62 AI18,-63 AL41,20 AM40,44 AO-9,13
AQ-78,167;-66,111;-69,78;-67,140;-68,63;-65,-64;-68,-68;-69,40;-72,3;-78,107
AR-35,-58;-31,-64;-25,-65;-24,-65;-27,-65;-28,-66;-29,-67;-32,-69;-33,-69;-33,-66;-52,-69 AR-55,-68 AS-14,-171 AT48,16
AU-32,159;-54,159;-43,147;-38,145;-34,151;-32,141;-27,153;-20,149;-35,139;-12,131;-32,116 AU-32,129 AW12,-70 AX60,20
AZ40,50 BA44,18 BB13,-60 BD24,90 BE51,4 BF12,-2 BG43,23 BH26,51 BI-3,29 BJ6,3 BL18,-63 BM32,-65 BN5,115 BO-16,-68
BQ12,-68 BR-4,-32;-1,-48;-4,-38;-8,-35;-7,-48;-10,-36;-13,-39;-24,-47;-20,-55;-16,-56;-2,-55;-9,-64
BR3,-61;-3,-60;-7,-70;-10,-68 BS25,-77 BT27,90 BW-25,26 BY54,28 BZ18,-88
CA48,-53;45,-64;46,-60;46,-65;53,-60;51,-57;44,-79;64,-68;49,-92;50,-97;75,-95;63,-92
CA50,-105;50,-108;54,-113;69,-105;68,-134;49,-117;56,-120;59,-123;61,-135;64,-139;49,-123 CC-12,97 CD-4,15;-12,27
CF4,19 CG-4,15 CH47,9 CI5,-4 CK-21,-160 CL-33,-71;-46,-72;-53,-71;-27,-109 CM4,10 CN31,121;44,88 CO5,-74 CR10,-84
CU23,-82 CV15,-24 CW12,-69 CX-10,106 CY35,33;35,34 CZ50,14 DE52,13;48,9 DJ12,43 DK56,13 DM15,-61 DO18,-70 DZ37,3
EC-2,-80;-1,-90 EE59,25 EG30,31 EH27,-13 ER15,39 ES40,-4;36,-5;28,-15 ET9,39 FI60,25 FJ-18,178 FK-52,-58
FM7,152;7,158;5,163 FO62,-7 FR49,2 GA0,9 GB52,0 GD12,-62 GE42,45 GF5,-52 GG49,-3 GH6,0 GI36,-5
GL64,-52;77,-19;70,-22;77,-69 GM13,-17 GN10,-14 GP16,-62 GQ4,9 GR38,24 GS-54,-37 GT15,-91 GU13,145 GW12,-16 GY7,-58
HK22,114 HN14,-87 HR46,16 HT19,-72 HU48,19 ID-6,107;0,109;-5,119;-3,141 IE53,-6 IL32,35 IM54,-4 IN23,88 IO-7,72
IQ33,44 IR36,51 IS64,-22 IT42,12 JE49,-2 JM18,-77 JO32,36 JP36,140 KE-1,37 KG43,75 KH12,105 KI1,173;-3,-172;2,-157
KM-12,43 KN17,-63 KP39,126 KR38,127 KW29,48 KY19,-81 KZ43,77;45,65;53,64;50,57;45,50;47,52;51,51 LA18,103 LB34,36
LC14,-61 LI47,10 LK7,80 LR6,-11 LS-29,28 LT55,25 LU50,6 LV57,24 LY33,13 MA34,-8 MC44,7 MD47,29 ME42,19 MF18,-63
MG-19,48 MH7,171;9,167 MK42,21 ML13,-8 MM17,96 MN48,107;48,92 MO22,114 MP15,146 MQ15,-61 MR18,-16 MS17,-62 MT36,15
MU-20,58 MV4,74 MW-16,35 MX19,-99;21,-87;21,-90;26,-100;26,-98;29,-106;32,-106;30,-104;23,-106;21,-105;29,-111
MX33,-117 MY3,102;2,110 MZ-26,33 NA-23,17 NC-22,166 NE14,2 NF-29,168 NG6,3 NI12,-86 NL52,5 NO60,11 NP28,85 NR-1,167
NU-19,-170 NZ-37,175;-44,-177 OM24,59 PA9,-80 PE-12,-77 PF-18,-150;-9,-140;-23,-135 PG-10,147;-6,156 PH15,121 PK25,67
PL52,21 PM47,-56 PN-25,-130 PR18,-66 PS32,34;32,35 PT39,-9;33,-17;38,-26 PW7,134 PY-25,-58 QA25,52 RE-21,55 RO44,26
RS45,20 RU55,20;56,38;59,50;49,44;46,48;52,46;54,48;53,50;57,61;55,73;55,83;53,84;56,85;54,87;56,93
RU52,104;52,113;62,130;63,136;43,132;65,143;60,151;47,143;67,154;53,159;65,177 RW-2,30 SA25,47 SB-10,160 SC-5,55
SD16,33 SE59,18 SG1,104 SH-16,-6 SI46,15 SJ78,16 SK48,17 SL8,-13 SM44,12 SN15,-17 SO2,45 SR6,-55 SS5,32 ST0,7 SV14,-89
SX18,-63 SY34,36 SZ-26,31 TC21,-71 TD12,15 TF-49,70 TG6,1 TH14,101 TJ39,69 TK-9,-171 TL-9,126 TM38,58 TN37,10
TO-21,-175 TR41,29 TT11,-62 TV-9,179 TW25,122 TZ-7,39 UA45,34;50,31 UG0,32 UM28,-177;19,167
US41,-74;42,-83;38,-86;37,-85;40,-86;39,-88;41,-87;38,-87;39,-85;42,-88;45,-88;47,-101
US47,-102;40,-105;44,-116;33,-112;34,-118;61,-150;58,-134;57,-135;55,-132;60,-140;64,-165 US52,-177;21,-158 UY-35,-56
UZ40,67;41,69 VA42,12 VC13,-61 VE10,-67 VG18,-65 VI18,-65 VN11,107 VU-18,168 WF-13,-176 WS-14,-172 YE13,45 YT-13,45
ZA-26,28 ZM-15,28 ZW-18,31
`

type Place = readonly [latitude: number, longitude: number]

const places = new Map<string, Place[]>()
for (const each of PLACES.trim().split(/\s+/)) {
  const country = each.slice(0, 2)
  const pairs = each.slice(2).split(';')
  const own = pairs.map((pair) => pair.split(',').map(Number) as unknown as Place)
  places.set(country, [...(places.get(country) ?? []), ...own])
}

const EARTH_RADIUS_KM = 6371
const radians = (degrees: number): number => (degrees * Math.PI) / 180

/** On the great circle. */
function distance([latA, lonA]: Place, [latB, lonB]: Place): number {
  const [sinLat, sinLon] = [Math.sin(radians(latB - latA) / 2), Math.sin(radians(lonB - lonA) / 2)]
  const chord = sinLat ** 2 + Math.cos(radians(latA)) * Math.cos(radians(latB)) * sinLon ** 2
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, Math.sqrt(chord)))
}

/** 0 within a country. Undefined where a code, ISO 3166-1 with two letters, is not known. */
export function kilometersBetween(a: string, b: string): number | undefined {
  if (a === b) return 0
  const [from, to] = [places.get(a), places.get(b)]
  if (!from || !to) return undefined
  return Math.min(...from.flatMap((one) => to.map((other) => distance(one, other))))
}
