/** Managed login in French. */
import type { Text } from './de.ts'

export const french: Readonly<Record<Text, string>> = {
  'Sign in': 'Se connecter',
  Username: "Nom d'utilisateur",
  'E-mail address': 'Adresse e-mail',
  'Phone number': 'Numéro de téléphone',
  'E-mail address or phone number': 'Adresse e-mail ou numéro de téléphone',
  Password: 'Mot de passe',
  Code: 'Code',
  Language: 'Langue',
  'New password': 'Nouveau mot de passe',
  'New password again': 'Nouveau mot de passe (confirmation)',
  'Sign in with a passkey': "Se connecter avec une clé d'accès",
  'Forgot your password?': 'Mot de passe oublié ?',
  'Create an account': 'Créer un compte',
  'Create account': 'Créer le compte',
  'I have an account': "J'ai déjà un compte",
  'Continue with {name}': 'Continuer avec {name}',
  'The browser found no passkey, or it was not confirmed.':
    "Le navigateur n'a trouvé aucune clé d'accès, ou elle n'a pas été confirmée.",
  'Your device confirms who you are: by your face, your finger, or its own code.':
    'Votre appareil confirme votre identité : par votre visage, votre doigt ou son propre code.',
  'Use a passkey': "Utiliser une clé d'accès",
  'Sign in in another way': 'Se connecter autrement',
  'Add a passkey': "Ajouter une clé d'accès",
  'With a passkey you sign in without a password.': "Avec une clé d'accès, vous vous connectez sans mot de passe.",
  'Set a new password': 'Définir un nouveau mot de passe',
  'Your password was set by an administrator. Choose one of your own.':
    'Votre mot de passe a été défini par un administrateur. Choisissez le vôtre.',
  'Set password': 'Définir le mot de passe',
  'Choose how to go on': 'Choisissez comment continuer',
  'A code by text message': 'Un code par SMS',
  'A code by e-mail': 'Un code par e-mail',
  'A code from an authenticator app': "Un code d'une application d'authentification",
  'Set up an authenticator app': "Configurer une application d'authentification",
  'Scan the picture, or type the key into your authenticator app. Then enter the code that it shows.':
    "Scannez l'image ou saisissez la clé dans votre application d'authentification. Saisissez ensuite le code affiché.",
  'QR code of the key': 'Code QR de la clé',
  'Set up': 'Configurer',
  'Enter the code': 'Saisissez le code',
  'A code was sent to {destination}.': 'Un code a été envoyé à {destination}.',
  'Enter the code that your authenticator app shows.':
    "Saisissez le code affiché par votre application d'authentification.",
  'Confirm your account': 'Confirmez votre compte',
  Confirm: 'Confirmer',
  'Send another code': 'Envoyer un autre code',
  'Enter your name, and a code will be sent to you.': 'Saisissez votre nom : un code vous sera envoyé.',
  'Send a code': 'Envoyer un code',
  'Back to sign-in': 'Retour à la connexion',
  'Choose a new password': 'Choisissez un nouveau mot de passe',
  'If there is such a user, a code was sent to {destination}.':
    'Si cet utilisateur existe, un code a été envoyé à {destination}.',
  'Signed out': 'Déconnecté',
  'You have signed out.': 'Vous êtes déconnecté.',
  'Your account is confirmed. You can sign in now.': 'Votre compte est confirmé. Vous pouvez vous connecter.',
  'Your password is set. You can sign in with it now.':
    'Votre mot de passe est défini. Vous pouvez vous connecter avec lui.',
  'You have to reset your password.': 'Vous devez réinitialiser votre mot de passe.',
  'The two passwords differ.': 'Les deux mots de passe sont différents.',
  'Username is required.': "Le nom d'utilisateur est requis.",
  'The passkey was not accepted.': "La clé d'accès n'a pas été acceptée.",
  'Incorrect username or password.': "Nom d'utilisateur ou mot de passe incorrect.",
  'Password attempts exceeded': 'Trop de tentatives. Réessayez plus tard.',
  'Invalid verification code provided, please try again.': 'Le code est incorrect. Réessayez.',
  'Invalid code received for user': 'Le code est incorrect. Réessayez.',
  'Invalid code provided, please request a code again.': 'Le code a expiré. Demandez-en un autre.',
  'Attempt limit exceeded, please try after some time.': 'Trop de tentatives. Réessayez plus tard.',
  'User already exists': 'Cet utilisateur existe déjà.',
  'User is disabled.': "L'utilisateur est désactivé.",
  'Password has previously been used': 'Ce mot de passe a déjà été utilisé.',
  'Password did not conform with policy: Password not long enough': 'Le mot de passe est trop court.',
  'Password did not conform with policy: Password too long': 'Le mot de passe est trop long.',
  'Password did not conform with policy: Password must have uppercase characters':
    'Le mot de passe doit contenir des majuscules.',
  'Password did not conform with policy: Password must have lowercase characters':
    'Le mot de passe doit contenir des minuscules.',
  'Password did not conform with policy: Password must have numeric characters':
    'Le mot de passe doit contenir des chiffres.',
  'Password did not conform with policy: Password must have symbol characters':
    'Le mot de passe doit contenir des symboles.',
  'Invalid session for the user, session is expired.': 'La connexion a expiré. Recommencez.',
}
